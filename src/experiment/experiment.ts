/** Arms × seeds: every run of a config, those that are recorded already left as they are. */
import { setTimeout } from "node:timers/promises";
import { BackendLost } from "../backend/errors.js";
import type { ExperimentConfig } from "../config/config.js";
import type { OrderSources } from "../config/order-sources.js";
import { IbatchError, unlessInterrupted } from "../errors.js";
import type { EpochMetrics } from "../record/epoch-metrics.js";
import type { ExperimentRecord } from "../record/experiment-record.js";
import type { RunDocument, Surroundings } from "../record/run-document.js";
import { Interrupted } from "../training/session.js";
import type { Backends } from "./backends.js";
import { refuseOtherThanKept } from "./kept-arms.js";
import { Losses } from "./losses.js";
import { eachOnce, type Observer } from "./observer.js";
import { type PlannedRun, planRuns } from "./plan-runs.js";
import { Preflight } from "./preflight.js";
import { type FinishedRun, madeIn, readRecorded } from "./recorded.js";
import { runOne, Unfit } from "./run.js";
import type { MadeIn } from "./surroundings.js";

export interface ExperimentInputs {
  readonly backends: Backends;
  readonly config: ExperimentConfig;
  /** Where the config's orders come from. */
  readonly orders: OrderSources;
  readonly record: ExperimentRecord;
  readonly dataDir: string | null;
  readonly observer: Observer;
  /** A line for the log, at any rate; never throws. */
  log(line: string): void;
  readonly signal: AbortSignal;
}

interface Noting extends ExperimentInputs {
  /** Tells each line once. */
  note(line: string): void;
}

/** A run as it stands, with its recorded epochs. */
export interface RunResult {
  readonly arm: string;
  readonly seed: number;
  readonly state: RunDocument["state"];
  readonly error?: string | undefined;
  readonly divergedAtStep?: number | undefined;
  readonly metrics: readonly EpochMetrics[];
}

export interface ArmsRun {
  readonly results: readonly RunResult[];
  /** What was missing from some run on, as another backend where one was lost: that run and those after it failed. */
  readonly stoppedBy: IbatchError | undefined;
}

/**
 * Runs what is missing of the experiment, seed by seed, so that arms stay comparable whenever it ends.
 * A run that fails is recorded and the others go on, with another backend where it lost its own; where no backend lasts,
 * or can be had, they are recorded as failed, too. The results are those of exactly the arms and seeds of the config,
 * whatever else the directory holds.
 * @throws Interrupted when the signal says so; IbatchError when recorded runs do not fit, or are damaged, or when
 * there is no backend to begin with.
 */
export async function runArms(experiment: ExperimentInputs): Promise<ArmsRun> {
  const results: RunResult[] = [];
  const { config, record, observer } = experiment;
  const inputs = { ...experiment, note: eachOnce((line) => observer.noted?.(line)) };
  const { runs: recorded, leftOut } = readRecorded(record.directory, {
    arms: Object.keys(config.arms),
    seeds: config.seeds,
  });
  for (const what of leftOut) inputs.note(`left out: ${what}`);
  const kept = [...madeIn(recorded)];
  const runs = planRuns(inputs, recorded);
  const toDo = runs.filter(({ finished }) => finished === undefined);
  for (const { record } of toDo) record.refuseReplacing();
  const trial = (run: PlannedRun) => ({ ...runInputs(inputs, run), kept });
  const tried = new Preflight(inputs.backends, toDo.map(trial));
  await refuseOtherThanKept(inputs.backends, nothingToDo(runs).map(trial));
  await tried.tryOwn();
  inputs.record.writeDocument(inputs.config);
  const losses = new Losses();
  for (const run of runs) {
    if (inputs.signal.aborted) throw new Interrupted();
    const ended: Ended = run.finished ?? (await runAndRecord(inputs, run, { kept, tried, losses, toDo }));
    const { document, metrics, lost } = ended;
    const { arm, seed, state, error, divergedAtStep } = document;
    if (run.finished === undefined) kept.push(...madeIn([{ arm, seed, directory: run.record.directory, document }]));
    else run.record.clearEnded(document);
    const last = metrics.at(-1);
    inputs.observer.runEnded?.(run.place, { state, kept: run.finished !== undefined, error, divergedAtStep, last });
    results.push({ arm, seed, state, error, divergedAtStep, metrics });
    if (run.finished === undefined) losses.count(run.place, lost);
  }
  return { results, stoppedBy: losses.stoppedBy };
}

/** The first run of each arm whose runs are all finished. */
function nothingToDo(runs: readonly PlannedRun[]): PlannedRun[] {
  const firsts = new Map([...runs].reverse().map((run) => [run.place.arm, run]));
  for (const { place, finished } of runs) if (finished === undefined) firsts.delete(place.arm);
  return [...firsts.values()].reverse();
}

/** What a run works with, apart from its record's beginning. */
function runInputs({ config, orders, record, dataDir, observer, signal, note, log }: Noting, run: PlannedRun) {
  return {
    config: run.config,
    order: orders.start(run.config.order, run.place.seed, {
      signal,
      limit: { seconds: config.backend.orderSeconds, setBy: "backend.orderSeconds" },
      say: log,
    }),
    refuseOtherData: (made: Surroundings) => orders.refuseOtherData(run.config.order, run.place.seed, made),
    evaluation: config.evaluation,
    chunkBatches: config.backend.chunkBatches,
    imagesPerClass: config.record.images,
    policy: config.checkpoint,
    seed: run.place.seed,
    dataDir,
    equalBits: config.backend.equalBits,
    owner: record.owner,
    record: run.record,
    place: run.place,
    observer,
    signal,
    note,
    log,
  };
}

interface Ended extends FinishedRun {
  /** The run's backend was lost under it. */
  readonly lost?: BackendLost;
}

interface SoFar {
  readonly kept: readonly MadeIn[];
  readonly tried: Preflight;
  readonly losses: Losses;
  readonly toDo: readonly PlannedRun[];
}

async function runAndRecord(inputs: Noting, run: PlannedRun, { kept, tried, losses, toDo }: SoFar): Promise<Ended> {
  const document: RunDocument = { ...run.document, startedAt: new Date().toISOString() };
  const refusal = tried.refusal(run.place.arm) ?? losses.refusal;
  if (refusal !== undefined) return failed(run, document, refusal);
  try {
    const ended = await restarting(inputs, run, async () =>
      runOne({
        ...runInputs(inputs, run),
        client: await inputs.backends.get(),
        document,
        kept,
        writeDataset: (dataset) => inputs.record.writeDataset(dataset),
      }),
    );
    return { document: ended, metrics: run.record.metrics };
  } catch (error) {
    if (error instanceof Unfit)
      await tried.tryAll(); // ends it where no arm fits, and no run has begun
    else if (isEveryRuns(error) && toDo.some(({ record }) => record.started)) losses.stop(error);
    else if (!isThisRunsAlone(error)) throw error;
    const ended = failed(run, document, error);
    if (!(error instanceof BackendLost)) return ended;
    await inputs.backends.discard();
    return { ...ended, lost: error };
  }
}

/** Does it again with another backend where it lost its own, as often as the config says. */
async function restarting<T>(inputs: Noting, { place, record }: PlannedRun, act: () => Promise<T>): Promise<T> {
  const { restarts } = inputs.config.backend;
  for (let restart = 1; ; restart++) {
    try {
      return await act();
    } catch (error) {
      const hasBegun = record.started || record.checkpoints.steps.length > 0;
      if (!(error instanceof BackendLost) || !hasBegun || restart > restarts) throw error;
      inputs.note(`${place.arm}, seed ${place.seed}: ${error.message}; restart ${restart} of ${restarts}`);
      await inputs.backends.discard();
      await pause(secondsBefore(restart), inputs.signal);
    }
  }
}

/** None before the first restart, then twice as long each time. */
const secondsBefore = (restart: number): number => (restart === 1 ? 0 : Math.min(60, 2 ** (restart - 2)));

/** @throws Interrupted */
async function pause(seconds: number, signal: AbortSignal): Promise<void> {
  if (seconds > 0) await unlessInterrupted(signal, setTimeout(1000 * seconds));
}

function failed({ record }: PlannedRun, document: RunDocument, { message }: IbatchError): Ended {
  const written: RunDocument = { ...document, state: "failed", error: message };
  if (!record.started) record.writeFailure(written);
  return { document: written, metrics: [] };
}

/** Whether the other runs can go on. */
const isThisRunsAlone = (error: unknown): error is IbatchError =>
  error instanceof IbatchError && error.kind === "run" && !(error instanceof Interrupted);

/** Whether no other run would fare better: there is no backend, no data, no room. */
const isEveryRuns = (error: unknown): error is IbatchError =>
  error instanceof IbatchError && error.kind === "surroundings";
