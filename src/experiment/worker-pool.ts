/** Those who take runs side by side: who does, who was given up, and how one that waits learns that something changed. */
import type { PlannedRun } from "./plan-runs.js";
import type { Others, Worker } from "./worker.js";

export class WorkerPool implements Others {
  /** Also those that try to have their backend back. */
  readonly #taking = new Set<Worker>();
  /** And why, in a line. */
  readonly #givenUp = new Map<Worker, string>();
  /** Those that were there, and fit, for a run. */
  readonly #atWork = new Set<Worker>();
  readonly #listening = new Set<() => void>();
  #underWay = 0;

  get taking(): readonly Worker[] {
    return [...this.#taking];
  }

  /** Whether others take runs than the one who asks. */
  get hasOthers(): boolean {
    return this.#taking.size > 1;
  }

  /** Runs that are at work now, and may still be given back. */
  get underWay(): number {
    return this.#underWay;
  }

  /** How many did runs, ever. */
  get atWork(): number {
    return this.#atWork.size;
  }

  doesRuns(worker: Worker): void {
    this.#atWork.add(worker);
  }

  /** Why backends take no runs any more. */
  get whyGivenUp(): readonly string[] {
    return [...this.#givenUp.values()];
  }

  takes(worker: Worker): boolean {
    return this.#taking.has(worker);
  }

  isGivenUp(worker: Worker): boolean {
    return this.#givenUp.has(worker);
  }

  join(worker: Worker): void {
    this.#taking.add(worker);
  }

  leave(worker: Worker): void {
    this.#taking.delete(worker);
    this.tell();
  }

  giveUp(worker: Worker, why: string): void {
    this.#givenUp.set(worker, why);
    this.leave(worker);
  }

  /** Nobody could do this run. Returns who was given up for runs like it, and takes some again. */
  forgive(run: PlannedRun): Worker[] {
    const all = [...this.#taking, ...this.#givenUp.keys()];
    const back = all.filter((worker) => worker.losses.forgive(run) && this.#givenUp.delete(worker));
    for (const worker of back) this.#taking.add(worker);
    return back;
  }

  begin(): void {
    this.#underWay += 1;
  }

  end(): void {
    this.#underWay -= 1;
    this.tell();
  }

  /** Whether another one may do what this one avoids. */
  isForOthers(run: PlannedRun, worker: Worker): boolean {
    return this.taking.some((other) => other !== worker && !other.losses.avoids(run));
  }

  /** Whether another one may do it of which nothing speaks against that yet. */
  mayOthers(run: PlannedRun, worker: Worker): boolean {
    return this.taking.some(({ losses }) => losses !== worker.losses && !losses.avoids(run) && !losses.shuns(run));
  }

  tell(): void {
    for (const act of [...this.#listening]) act();
  }

  /** Acts at each change. Returns what forgets about it. */
  whenChanged(act: () => void): () => void {
    this.#listening.add(act);
    return () => this.#listening.delete(act);
  }

  /** Until something changed. */
  async change(): Promise<void> {
    let forget = () => {};
    await new Promise<void>((resolve) => {
      forget = this.whenChanged(resolve);
    }).finally(() => forget());
  }
}
