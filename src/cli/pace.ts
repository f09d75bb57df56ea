/** How far the runs of a command are, how fast they go, and how long they will take; runs side by side count alike. */
import type { ResumedFrom, RunOutcome, RunPlace } from "../experiment/observer.js";

interface UnderWay {
  /** Of the run, those before it went on among them. */
  samples: number;
  /** Trained by an earlier command, where `Pace` lacks them still. */
  samplesBefore: number;
  share: number;
}

export class Pace {
  readonly #start = performance.now();
  readonly #underWay = new Map<number, UnderWay>();
  /** Trained here, over all runs. */
  #samples = 0;
  #ended = 0;
  /** Runs, and parts of runs, that earlier commands did: they cost no time any more. */
  #runsBefore = 0;

  started({ number }: RunPlace, from: ResumedFrom | undefined): void {
    const samples = from?.samples ?? 0;
    const before = this.#underWay.get(number);
    this.#underWay.set(number, { samples, samplesBefore: before?.samplesBefore ?? samples, share: 0 });
  }

  trained({ number }: RunPlace, { samples, share }: { readonly samples: number; readonly share: number }): void {
    const run = this.#underWay.get(number) ?? { samples: 0, samplesBefore: 0, share };
    this.#samples += samples - run.samples;
    this.#runsBefore += (share * run.samplesBefore) / samples;
    this.#underWay.set(number, { samples, samplesBefore: 0, share });
  }

  ended({ number }: RunPlace, { kept }: Pick<RunOutcome, "kept">): void {
    this.#underWay.delete(number);
    this.#ended += 1;
    if (kept) this.#runsBefore += 1;
  }

  get seconds(): number {
    return (performance.now() - this.#start) / 1000;
  }

  /** Runs that are done, and parts of those under way. */
  get #runs(): number {
    return [...this.#underWay.values()].reduce((sum, { share }) => sum + share, this.#ended);
  }

  shareOf({ total }: RunPlace): number {
    return this.#runs / total;
  }

  /** Infinite before anything is trained. */
  secondsLeft({ total }: RunPlace): number {
    const share = (this.#runs - this.#runsBefore) / (total - this.#runsBefore);
    return (this.seconds * (1 - share)) / share;
  }

  /** Of all runs together. */
  get speed(): string {
    return `${Math.round(this.#samples / this.seconds).toLocaleString("en")} samples/s`;
  }
}
