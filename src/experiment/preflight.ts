/** Arms are tried before anything is trained: once for each combination that their runs will open. */
import { BackendLost } from "../backend/errors.js";
import { runSeeds } from "../config/run-seeds.js";
import { IbatchError, Interrupted, surroundingsError, usageError } from "../errors.js";
import { hashValue } from "../record/hash.js";
import { importsOf, openRequest } from "../training/open-request.js";
import { RunLength } from "../training/run-length.js";
import type { Session, WorkClient } from "../training/session.js";
import { tryFirstPlan } from "../training/train-run.js";
import { prepareTraining } from "../training/training.js";
import { atOneOf, NoneThere } from "./at-one-of.js";
import type { Backends } from "./backends.js";
import type { ExperimentInputs } from "./experiment-inputs.js";
import type { KeptRuns } from "./kept-runs.js";
import { openSession, orderOf } from "./open-session.js";
import { type MadeFrom, modelOf, STARTS_ALIKE } from "./other-code.js";
import type { PlannedRun } from "./plan-runs.js";
import { type MadeIn, refuseOtherSurroundings, surroundingsOf } from "./surroundings.js";
import { isOfMachine } from "./whose-fault.js";

/**
 * Arms that are to be trained, and what they were refused for. Trying opens a session for every combination of data,
 * model, loss, optimiser and seed, and makes the first plan of each arm.
 */
export class Preflight {
  readonly #experiment: ExperimentInputs;
  /** The first run of each arm that was not tried yet. */
  readonly #untried = new Map<string, PlannedRun>();
  readonly #count: number;
  /** Runs side by side may be refused at a time: all of them wait for what one of them tries. */
  #all = Promise.resolve();
  readonly #refused = new Map<string, IbatchError>();
  readonly #runs: readonly PlannedRun[];
  /** Results, and runs that go on, beside which these runs are made. */
  readonly #kept: KeptRuns;
  /** What was opened to be tried. */
  readonly #opened: MadeIn[] = [];
  /** Hashes of models of which it is known where seeds start. */
  readonly #starts = new Set<string>();

  /** `runs`: all that are to be done. */
  constructor(experiment: ExperimentInputs, runs: readonly PlannedRun[], kept: KeptRuns) {
    this.#experiment = experiment;
    this.#runs = runs;
    this.#kept = kept;
    for (const run of runs) if (!this.#untried.has(run.place.arm)) this.#untried.set(run.place.arm, run);
    this.#count = this.#untried.size;
  }

  /**
   * Tries those that have something of the user's in them, or replay runs as far as the data say. Tells what is imported, and
   * what the backend says of it. What is one run's alone is left to it; what one backend of the pool lacks, to the next one.
   * @throws IbatchError naming the arm, where all are refused and no run has begun, or what all would meet; Interrupted.
   */
  async tryOwn(pool: readonly Backends[]): Promise<void> {
    const isToTry = ({ config }: PlannedRun) => importsOf(config).length > 0 || replaysUpToShuffle(config);
    await this.#try([...this.#untried.values()].filter(isToTry), pool, (error, arms) => {
      if (error instanceof NoneThere) throw error.why;
      this.#refuse(arms, error);
    });
  }

  /**
   * Those that are left, once one was refused: whether anything can be trained is to be known. What this backend lacks is no
   * arm's own where others may do it; one that is gone says nothing. Throws as `tryOwn`.
   */
  async tryAll(backends: Backends, mayOthers: (run: PlannedRun) => boolean): Promise<void> {
    this.#all = this.#all.then(() =>
      this.#try([...this.#untried.values()], [backends], (error, arms) => {
        const isUnknown = error instanceof NoneThere || (isOfMachine(error) && arms.some(mayOthers));
        if (!isUnknown) return this.#refuse(arms, error);
        for (const run of arms) this.#untried.set(run.place.arm, run);
      }),
    );
    await this.#all;
  }

  /** Why an arm's runs cannot be trained, where that is known. */
  refusal(arm: string): IbatchError | undefined {
    return this.#refused.get(arm);
  }

  /** `failed`: told of arms of which the backends say that they cannot be trained there. */
  async #try(
    arms: readonly PlannedRun[],
    pool: readonly Backends[],
    failed: (error: unknown, arms: Together) => void,
  ): Promise<void> {
    for (const { place } of arms) this.#untried.delete(place.arm);
    for (const together of byCombination(arms)) {
      try {
        await atOneOf(pool, (client) => this.#tryTogether(together, client));
      } catch (error) {
        if (!(error instanceof BackendLost)) failed(error, together);
        else this.#note(`arm ${together[0].place.arm}, when it was tried: ${error.message}`); // its runs will say so themselves
      }
    }
    const [first] = this.#refused;
    const hasBegun = this.#runs.some(({ record }) => record.started);
    if (first !== undefined && this.#refused.size === this.#count && !hasBegun) throw naming(...first);
    for (const { place } of arms) {
      const refusal = this.#refused.get(place.arm);
      if (refusal !== undefined) this.#note(`arm ${place.arm} is not trained: ${refusal.message}`);
    }
  }

  async #tryTogether(arms: Together, client: WorkClient): Promise<void> {
    const session = await openSession(this.#experiment, arms[0], client);
    try {
      refuseEdited(session.opened.edited);
      tellImports(session.opened.imports, this.#note);
      for (const arm of arms) await this.#judging([arm], () => this.#tryArm(arm, session));
    } finally {
      await session.close();
    }
    await this.#tryStarts(client, arms);
  }

  async #tryArm(run: PlannedRun, session: Session): Promise<void> {
    this.#refuseOther(run, session);
    const { config, place } = run;
    const order = orderOf(this.#experiment, run);
    const training = await prepareTraining({ config, seed: place.seed, order, listen: () => {} }, session);
    if (replaysUpToShuffle(config)) this.#refuseShortReplays(place.arm, training.split.eligible.length);
    await tryFirstPlan(training);
  }

  /** Each seed may replay a run of its own. */
  #refuseShortReplays(arm: string, eligibleCount: number): void {
    for (const run of this.#runs) {
      if (run.place.arm === arm) new RunLength(run.config, orderOf(this.#experiment, run), eligibleCount);
    }
  }

  /** Beside what is on record, and beside what was tried before. */
  #refuseOther({ place, config, record }: PlannedRun, session: Session): void {
    const { arm } = place;
    const { model: seed } = runSeeds(place.seed, config.fixedSeeds);
    const surroundings = surroundingsOf(session, config.dataset);
    this.#experiment.orders.refuseOtherData(config.order, place.seed, surroundings);
    const made = { arm, seed, ...modelOf(config.model), surroundings };
    refuseOtherSurroundings(made, [...this.#kept.values(), ...this.#opened]);
    this.#opened.push({ ...made, directory: record.directory, goesOn: false });
  }

  /** Where a model of the user's starts, once for each: equal seeds are to start alike, and others to start apart. */
  async #tryStarts(client: WorkClient, arms: Together): Promise<void> {
    const [tried] = arms;
    const { modelHash, isOwnModel } = modelOf(tried.config.model);
    const own = this.#opened.find(({ arm }) => arm === tried.place.arm);
    if (!isOwnModel || own === undefined || this.#starts.has(modelHash)) return;
    this.#starts.add(modelHash);
    await this.#judging(arms, async () => refuseOtherStart(own, tried, await this.#weightsAtStart(client, tried)));
    if (!this.#refused.has(tried.place.arm)) await this.#tellWhereSeedsStartAlike(client, tried, own);
  }

  /** Where it is trained with several seeds. */
  async #tellWhereSeedsStartAlike(client: WorkClient, { place, config }: PlannedRun, own: MadeIn): Promise<void> {
    const { arm, seed } = place;
    const isOther = (made: MadeFrom) => made.modelHash === own.modelHash && made.seed !== own.seed;
    const recorded = [...this.#kept.values(), ...this.#opened].find(isOther)?.surroundings.initialWeightsSha256;
    const isFixed = config.fixedSeeds?.model !== undefined;
    const another = isFixed ? undefined : this.#runs.find((run) => run.place.arm === arm && run.place.seed !== seed);
    const weights =
      recorded ?? (another && (await this.#judging([another], () => this.#weightsAtStart(client, another))));
    if (weights === own.surroundings.initialWeightsSha256)
      this.#note(`${config.model.name}: all seeds ${STARTS_ALIKE}`);
  }

  async #weightsAtStart(client: WorkClient, run: PlannedRun): Promise<string> {
    const session = await openSession(this.#experiment, run, client);
    try {
      return session.opened.initialWeightsSha256;
    } finally {
      await session.close();
    }
  }

  readonly #note = (line: string): void => this.#experiment.audience.note(line);

  /**
   * What this gives; undefined where these arms are refused, or where it is one run's alone, which will say so.
   * @throws what another backend may not lack.
   */
  async #judging<T>(arms: Together, act: () => Promise<T>): Promise<T | undefined> {
    try {
      return await act();
    } catch (error) {
      if (isOfMachine(error)) throw error;
      this.#refuse(arms, error);
      return undefined;
    }
  }

  /** @throws what is no arm's. */
  #refuse(arms: Together, error: unknown): void {
    if (!(error instanceof IbatchError) || error instanceof Interrupted || error instanceof BackendLost) throw error;
    if (error.kind === "run") return;
    if (error.kind !== "usage") throw naming(arms[0].place.arm, error);
    for (const { place } of arms) this.#refused.set(place.arm, error);
  }
}

/** How much of the recorded runs is wanted is known with the data alone: the shuffle at the end has a part of the budget. */
const replaysUpToShuffle = ({ order, budget }: PlannedRun["config"]): boolean =>
  order.replay !== undefined && budget !== undefined && order.shuffledLastEpoch === true;

/** A line for each reference: where it was found, and which version of the file. */
export function tellImports(imports: Session["opened"]["imports"], note: (line: string) => void): void {
  for (const { reference, file, sha256 } of imports) {
    const what = sha256 === null ? "" : ` (sha256 ${sha256.slice(0, 8)})`;
    note(`imports ${reference} from ${file ?? "a module without a file"}${what}`);
  }
}

/** @throws IbatchError naming the files that a backend which runs already imported otherwise than they are now. */
export function refuseEdited(edited: readonly string[]): void {
  if (edited.length === 0) return;
  throw surroundingsError(
    `${edited.join(", ")} changed after the backend imported it, and it would train what it was: restart the backend`,
  );
}

/** @throws IbatchError where the model started otherwise when it was opened again with the same seed. */
function refuseOtherStart({ surroundings }: MadeIn, { config, place }: PlannedRun, again: string): void {
  const first = surroundings.initialWeightsSha256;
  if (first === again) return;
  throw usageError(
    `${config.model.name} was made twice with seed ${place.seed}, and started from other weights (SHA-256 ` +
      `${again.slice(0, 8)}, then ${first.slice(0, 8)}): draw them from torch's default generator alone`,
  );
}

export const naming = (arm: string, error: IbatchError) =>
  new IbatchError(error.kind, `arm ${arm}: ${error.message}`, { cause: error });

/** Arms that open the same: where their first runs have other seeds (some are done), they start from other weights, too. */
export function byCombination(runs: readonly PlannedRun[]): Together[] {
  const groups = new Map<string, [PlannedRun, ...PlannedRun[]]>();
  for (const run of runs) {
    const key = hashValue(openRequest({ config: run.config, seed: run.place.seed, dataDir: null }));
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [run]);
    else group.push(run);
  }
  return [...groups.values()];
}

export type Together = readonly [PlannedRun, ...PlannedRun[]];
