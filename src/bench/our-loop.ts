/** Our path: a run by the loop that trains all runs, recorded as all are; an epoch at a time, and then it waits. */

import type { RunConfig } from "../config/run-config.js";
import { IbatchError, Interrupted } from "../errors.js";
import type { RunOrder } from "../order-files/run-order.js";
import type { EpochTimings } from "../record/epoch-metrics.js";
import type { RunRecord } from "../record/run-record.js";
import { secondsSince } from "../training/clock.js";
import { openRequest } from "../training/open-request.js";
import { recordIn } from "../training/recording.js";
import { type Listener, tellAll } from "../training/run-event.js";
import { Session, type WorkClient } from "../training/session.js";
import { trainRun } from "../training/train-run.js";
import { firstState, prepareTraining } from "../training/training.js";
import { whenAborted } from "../when-aborted.js";

export interface OurRun {
  readonly client: WorkClient;
  readonly config: RunConfig;
  readonly order: RunOrder;
  readonly seed: number;
  readonly dataDir: string | null;
  readonly record: RunRecord;
  readonly signal: AbortSignal;
  note(line: string): void;
}

/** An epoch of ours, in seconds of the clock on the wall: from its go-ahead until the next one could be given. */
export interface OurRound {
  /** Of all but evaluations: the plan of the next epoch and all records are in it. */
  readonly seconds: number;
  /** Of that what the backend did not spend on training. */
  readonly controlSeconds: number;
}

type Ended = (timings: EpochTimings) => void;

export class OurLoop {
  readonly session: Session;
  readonly #over: Promise<never>;
  readonly #gate: Gate;
  #ended: (timings: EpochTimings) => void = () => {};

  private constructor(session: Session, gate: Gate, train: (ended: Ended) => Promise<never>) {
    this.session = session;
    this.#gate = gate;
    this.#over = train((timings) => this.#ended(timings));
    this.#over.catch(() => {}); // who asks for a round is told
  }

  /** @throws IbatchError where the config does not fit; Interrupted. */
  static async open(run: OurRun): Promise<OurLoop> {
    const session = await Session.open(run.client, openRequest(run), run.signal, run.note);
    const gate = new Gate(run.signal);
    return new OurLoop(session, gate, async (ended) => {
      await gate.pass();
      const { config, seed, order, record } = run;
      let told: EpochTimings | undefined;
      const hear: Listener = (event) => {
        if (event.type === "epochEnded") told = event.timings;
      };
      const boundary = {
        batchesUntilNext: () => Number.POSITIVE_INFINITY,
        ask: () => undefined,
        epochEnded: async () => {
          await training.planner.madeEarly(); // while the gate is shut it would cost nothing
          if (told !== undefined) ended(told);
          await gate.pass();
        },
      };
      const inputs = { config, seed, order, boundary, listen: tellAll(recordIn(record), hear) };
      const training = await prepareTraining(inputs, session);
      const { divergedAtStep: step } = await trainRun(firstState(training), training);
      const how = step === undefined ? "came to its end" : `diverged at step ${step}`;
      throw new IbatchError("run", `the run that is measured ${how} before all of it was`);
    });
  }

  /** Trains the next epoch. @throws what the run met. */
  async round(): Promise<OurRound> {
    const ended = new Promise<EpochTimings>((resolve) => {
      this.#ended = resolve;
    });
    const began = performance.now();
    this.#gate.open();
    const { trainingSeconds, scoringSeconds, evaluatingSeconds } = await Promise.race([ended, this.#over]);
    const seconds = secondsSince(began) - scoringSeconds - evaluatingSeconds;
    return { seconds, controlSeconds: seconds - trainingSeconds };
  }

  /** Ends the run where it stands. */
  async close(): Promise<void> {
    this.#gate.shut();
    await this.#over.catch(() => {});
    await this.session.close();
  }
}

/** What is stopped in front of it goes on when it is opened, and it falls shut behind that. */
class Gate {
  readonly #forget: () => void;
  #isOpen = false;
  #isShut = false;
  #waiting: { readonly goOn: () => void; readonly end: () => void } | undefined;

  constructor(signal: AbortSignal) {
    this.#forget = whenAborted(signal, () => this.shut());
  }

  /** @throws Interrupted where it is shut for good. */
  readonly pass = (): Promise<void> =>
    new Promise((resolve, reject) => {
      this.#waiting = { goOn: resolve, end: () => reject(new Interrupted()) };
      if (this.#isShut) this.#waiting.end();
      else if (this.#isOpen) this.open();
    });

  open(): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    this.#isOpen = waiting === undefined;
    waiting?.goOn();
  }

  shut(): void {
    this.#isShut = true;
    this.#forget();
    this.#waiting?.end();
  }
}
