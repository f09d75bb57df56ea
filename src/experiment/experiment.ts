/** Arms × seeds: every run of a config, those that are recorded already left as they are. */
import { setTimeout } from "node:timers/promises";
import { BackendLost, NothingListens } from "../backend/errors.js";
import { IbatchError, Interrupted, unlessInterrupted } from "../errors.js";
import type { EpochMetrics } from "../record/epoch-metrics.js";
import { isFinished, type RunDocument } from "../record/run-document.js";
import type { WorkClient } from "../training/session.js";
import type { ExperimentInputs } from "./experiment-inputs.js";
import { refuseOtherThanKept } from "./kept-arms.js";
import { Losses } from "./losses.js";
import { runText } from "./observer.js";
import { type PlannedRun, planRuns } from "./plan-runs.js";
import { Preflight } from "./preflight.js";
import { type FinishedRun, madeIn, type RecordedRun, readRecorded } from "./recorded.js";
import { runOne, Unfit } from "./run.js";
import { clearEnded, recordInterrupted } from "./run-end.js";
import type { MadeIn } from "./surroundings.js";

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
  const { config, record, audience, signal } = experiment;
  const { runs: recorded, leftOut } = readRecorded(record.directory, {
    arms: Object.keys(config.arms),
    seeds: config.seeds,
    checkpoint: config.checkpoint,
  });
  for (const what of leftOut) audience.note(`left out: ${what}`);
  tellUnasked(experiment, recorded);
  const kept: Kept = new Map();
  for (const run of recorded) keep(kept, run.directory, run.made);
  const runs = planRuns(experiment, recorded);
  const toDo = runs.filter(({ finished }) => finished === undefined);
  for (const { record } of toDo) record.refuseReplacing();
  experiment.accepted?.(toDo.length);
  const tried = new Preflight(
    experiment,
    toDo.filter(({ place }) => !experiment.refused?.has(place.arm)),
    kept,
  );
  await refuseOtherThanKept(experiment, nothingToDo(runs), kept);
  await tried.tryOwn();
  if (toDo.length === 0) record.writeDocument(config);
  else record.writeDocumentBeforeRuns(config);
  const losses = new Losses();
  const soFar = { kept, tried, losses, toDo };
  for (const run of runs) {
    if (signal.aborted) throw new Interrupted();
    const ended: Ended = run.finished ?? (await runAndRecord(experiment, run, soFar));
    const { document, metrics, lost } = ended;
    const { arm, seed, state, error, divergedAtStep } = document;
    if (run.finished !== undefined) clearEnded(experiment, run, document);
    const last = metrics.at(-1);
    audience.observer.runEnded?.(run.place, { state, kept: run.finished !== undefined, error, divergedAtStep, last });
    results.push({ arm, seed, state, error, divergedAtStep, metrics });
    if (run.finished !== undefined) continue;
    losses.count(run.place, lost);
    keepEnded(experiment, run, document, soFar);
  }
  return { results, stoppedBy: losses.stoppedBy };
}

/** Runs that were begun by another command, and that this one does not go on with. */
function tellUnasked({ config, audience }: ExperimentInputs, recorded: readonly RecordedRun[]): void {
  for (const { arm, seed, directory, finished } of recorded) {
    if (finished !== undefined || (config.arms[arm] !== undefined && config.seeds.includes(seed))) continue;
    audience.note(`${directory} is unfinished, and this command does not ask for it`);
  }
}

/** The first run of each arm whose runs are all finished. */
function nothingToDo(runs: readonly PlannedRun[]): PlannedRun[] {
  const firsts = new Map([...runs].reverse().map((run) => [run.place.arm, run]));
  for (const { place, finished } of runs) if (finished === undefined) firsts.delete(place.arm);
  return [...firsts.values()].reverse();
}

interface Ended extends FinishedRun {
  /** The run's backend was lost under it. */
  readonly lost?: BackendLost;
}

/** By directory: results, and runs that go on. */
type Kept = Map<string, MadeIn>;

/** What holds of a run by now; undefined: nothing that another one would stand beside. */
function keep(kept: Kept, directory: string, made: MadeIn | undefined): void {
  if (made === undefined) kept.delete(directory);
  else kept.set(directory, made);
}

interface SoFar {
  readonly kept: Kept;
  readonly tried: Preflight;
  readonly losses: Losses;
  readonly toDo: readonly PlannedRun[];
}

async function runAndRecord(experiment: ExperimentInputs, planned: PlannedRun, soFar: SoFar): Promise<Ended> {
  const { kept, tried, losses } = soFar;
  const { backends } = experiment.workplace;
  const run = { ...planned, document: { ...planned.document, startedAt: new Date().toISOString() } };
  const { arm } = run.place;
  const refusal = experiment.refused?.get(arm) ?? tried.refusal(arm) ?? losses.refusal;
  if (refusal !== undefined) return failed(run, refusal);
  try {
    const document = await restarting(experiment, run, (client) => runOne(experiment, run, client, kept));
    return { document, metrics: run.record.metrics };
  } catch (error) {
    if (error instanceof Interrupted && run.record.started) recordInterrupted(run, error);
    if (error instanceof Unfit)
      await tried.tryAll(); // ends it where no arm fits, and no run has begun
    else judge(error, soFar);
    const ended = failed(run, error);
    if (!(error instanceof BackendLost)) return ended;
    await backends.discard();
    return { ...ended, lost: error };
  }
}

/** @throws what ends the command: no run has begun yet, or it is nothing that a run may meet. */
function judge(error: unknown, { losses, toDo }: SoFar): asserts error is IbatchError {
  if (isEveryRuns(error) && toDo.some(({ record }) => record.started)) losses.stop(error);
  else if (!isThisRunsAlone(error)) throw error;
}

/** What the next runs are made beside from now on, whatever ended this one: where that cannot be seen, none is made. */
function keepEnded({ config }: ExperimentInputs, run: PlannedRun, document: RunDocument, soFar: SoFar): void {
  if (soFar.losses.refusal !== undefined) return;
  const { directory } = run.record;
  try {
    keep(soFar.kept, directory, madeIn({ ...run.place, directory }, onRecord(run, document), config));
  } catch (error) {
    judge(error, soFar);
  }
}

/** Does it again with another backend where it lost its own, or the other one did not start, as often as the config says. */
async function restarting<T>(
  { workplace, audience, signal }: ExperimentInputs,
  { place, record, config }: PlannedRun,
  act: (client: WorkClient) => Promise<T>,
): Promise<T> {
  const { backends } = workplace;
  const { restarts } = config.backend;
  for (let restart = 1; ; restart++) {
    let client: WorkClient | undefined;
    try {
      client = await backends.get();
      return await act(client);
    } catch (error) {
      const isWithout = client === undefined && restart > 1 && isEveryRuns(error) && !(error instanceof NothingListens);
      if (!(error instanceof BackendLost || isWithout) || restart > restarts) throw error;
      if (!record.started && record.checkpoints.steps.length === 0) throw error;
      audience.note(`${runText(place)}: ${error.message}; restart ${restart} of ${restarts}`);
      if (record.checkpoints.steps.length === 0) audience.note(`${runText(place)}: has no checkpoint, and begins anew`);
      await backends.discard();
      await pause(secondsBefore(restart), signal);
    }
  }
}

/** None before the first restart, then twice as long each time. */
const secondsBefore = (restart: number): number => (restart === 1 ? 0 : Math.min(60, 2 ** (restart - 2)));

/** @throws Interrupted */
async function pause(seconds: number, signal: AbortSignal): Promise<void> {
  if (seconds > 0) await unlessInterrupted(signal, setTimeout(1000 * seconds));
}

function failed({ record, document }: PlannedRun, error: IbatchError): Ended {
  const written: RunDocument = { ...document, state: "failed", error: error.message };
  if (!record.started || error instanceof Unfit) record.writeEndOutside(written);
  return { document: written, metrics: [] };
}

/** A run that failed may go on from what was recorded of it before. */
const onRecord = ({ record }: PlannedRun, document: RunDocument): RunDocument =>
  isFinished(document) ? document : (record.read() ?? document);

/** Whether the other runs can go on. */
const isThisRunsAlone = (error: unknown): error is IbatchError =>
  error instanceof IbatchError && error.kind === "run" && !(error instanceof Interrupted);

/** Whether no other run would fare better: there is no backend, no data, no room. */
const isEveryRuns = (error: unknown): error is IbatchError =>
  error instanceof IbatchError && error.kind === "surroundings";
