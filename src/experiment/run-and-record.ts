/** One run to its end and on record, with another backend wherever it loses its own. */
import { BackendLost, NothingListens } from "../backend/errors.js";
import { IbatchError, Interrupted } from "../errors.js";
import { isFinished, type RunDocument } from "../record/run-document.js";
import type { WorkClient } from "../training/session.js";
import { pause, secondsBefore } from "./back-off.js";
import type { Backends } from "./backends.js";
import type { ExperimentInputs } from "./experiment-inputs.js";
import type { KeptRuns } from "./kept-runs.js";
import { runText } from "./observer.js";
import type { PlannedRun } from "./plan-runs.js";
import type { FinishedRun } from "./recorded.js";
import { runOne, Unfit } from "./run.js";
import { recordInterrupted } from "./run-end.js";

export interface Ended extends FinishedRun {
  /** The run's backend was lost under it. */
  readonly lost?: BackendLost;
}

/** Where a run is trained, and beside what. */
export interface Attempt {
  readonly backends: Backends;
  readonly kept: KeptRuns;
  /** How often the run lost a backend and went on, wherever it was. */
  readonly restarts: { used: number };
  /** Backends that did runs by now, this one among them. */
  atWork(): number;
  /** Whether others could go on with it. */
  hasOthers(): boolean;
}

/** The run lost its backend, or there was none for it, and others are to go on with it. */
export class LeftToOthers extends Error {
  constructor(
    readonly why: "lost" | "away",
    readonly error: IbatchError,
  ) {
    super(error.message);
  }
}

/**
 * Trains it at these backends, one after another where it loses its own and there are no others. One that loses the last of
 * them has failed.
 * @throws LeftToOthers; what `runOne` throws, but for lost backends.
 */
export async function runAndRecord(experiment: ExperimentInputs, run: PlannedRun, attempt: Attempt): Promise<Ended> {
  const { backends } = attempt;
  try {
    const document = await restarting(experiment, run, attempt, (client) => runOne(experiment, run, client, attempt));
    return { document, metrics: run.record.metrics };
  } catch (error) {
    if (error instanceof Interrupted && run.record.started) recordInterrupted(run, error);
    if (!(error instanceof BackendLost)) throw error;
    await backends.discard();
    return { ...failed(run, error), lost: error };
  }
}

/** Does it again with another backend where it lost its own, or the other one did not start, as often as the config says. */
async function restarting<T>(
  { audience, signal, workplace }: ExperimentInputs,
  run: PlannedRun,
  { backends, kept, restarts, hasOthers }: Attempt,
  act: (client: WorkClient) => Promise<T>,
): Promise<T> {
  const { place, record, config } = run;
  const most = config.backend.restarts;
  for (;;) {
    const restart = restarts.used + 1;
    let client: WorkClient | undefined;
    try {
      client = await backends.get({ waits: !hasOthers(), over: signal });
      if (workplace.pool.length > 1) tellWhere(run, backends, restart > 1 ? audience.note : audience.log);
      return await act(client);
    } catch (error) {
      if (client === undefined && hasOthers() && isEveryRuns(error)) throw new LeftToOthers("away", error);
      const isWithout = client === undefined && restart > 1 && isEveryRuns(error) && !(error instanceof NothingListens);
      if (!(error instanceof BackendLost || isWithout) || restart > most) throw error;
      const isOthers = error instanceof BackendLost && hasOthers();
      if (!record.started && record.checkpoints.steps.length === 0 && !isOthers) throw error;
      restarts.used = restart;
      audience.note(`${runText(place)}: ${error.message}; restart ${restart} of ${most}`);
      tellWhereAnew(run, kept, audience.note);
      if (isOthers) throw new LeftToOthers("lost", error);
      await backends.discard();
      await pause(secondsBefore(restart), signal);
    }
  }
}

/** Of several, the one that takes it, so that the runs of a bad one can be found. */
function tellWhere({ place, record }: PlannedRun, { name }: Backends, tell: (line: string) => void): void {
  const [step] = record.checkpoints.steps;
  const how = step !== undefined ? `goes on from step ${step}` : record.started ? "begins anew" : "begins";
  tell(`${runText(place)}: ${how} at ${name}`);
}

function tellWhereAnew(run: PlannedRun, kept: KeptRuns, note: (line: string) => void): void {
  const { place, record } = run;
  if (record.started && record.checkpoints.steps.length === 0)
    note(`${runText(place)}: has no checkpoint, and begins anew`);
  forgetUnsaved(run, kept);
}

/** Nothing is made beside a run that begins anew. */
export function forgetUnsaved({ record }: PlannedRun, kept: KeptRuns): void {
  if (record.checkpoints.steps.length === 0) kept.keep(record.directory, undefined);
}

/** As it begins now. */
export const begun = (run: PlannedRun): PlannedRun => ({
  ...run,
  document: { ...run.document, startedAt: new Date().toISOString() },
});

/** As failed, and on record as such where nothing of it is yet. */
export function failed({ record, document }: PlannedRun, error: IbatchError): Ended {
  const written: RunDocument = { ...document, state: "failed", error: error.message };
  if (!record.started || error instanceof Unfit) record.writeEndOutside(written);
  return { document: written, metrics: [] };
}

/** A run that failed may go on from what was recorded of it before. */
export const onRecord = ({ record }: PlannedRun, document: RunDocument): RunDocument =>
  isFinished(document) ? document : (record.read() ?? document);

/** Whether the other runs can go on. */
export const isThisRunsAlone = (error: unknown): error is IbatchError =>
  error instanceof IbatchError && error.kind === "run" && !(error instanceof Interrupted);

/** Whether no other run would fare better: there is no backend, no data, no room. */
export const isEveryRuns = (error: unknown): error is IbatchError =>
  error instanceof IbatchError && error.kind === "surroundings";
