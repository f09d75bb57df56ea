/** One run to its end and on record, with another backend wherever it loses its own. */
import { setTimeout } from "node:timers/promises";
import { BackendLost, NothingListens } from "../backend/errors.js";
import { IbatchError, Interrupted, unlessInterrupted } from "../errors.js";
import { isFinished, type RunDocument } from "../record/run-document.js";
import type { WorkClient } from "../training/session.js";
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

/**
 * Trains it at these backends, one after another where it loses its own. One that loses the last of them has failed.
 * @throws what `runOne` throws, but for lost backends.
 */
export async function runAndRecord(
  experiment: ExperimentInputs,
  run: PlannedRun,
  backends: Backends,
  kept: KeptRuns,
): Promise<Ended> {
  try {
    const document = await restarting(experiment, run, { backends, kept }, (client) =>
      runOne(experiment, run, client, kept),
    );
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
  { audience, signal }: ExperimentInputs,
  { place, record, config }: PlannedRun,
  { backends, kept }: { readonly backends: Backends; readonly kept: KeptRuns },
  act: (client: WorkClient) => Promise<T>,
): Promise<T> {
  const { restarts } = config.backend;
  for (let restart = 1; ; restart++) {
    let client: WorkClient | undefined;
    try {
      client = await backends.get();
      return await act(client);
    } catch (error) {
      const isWithout = client === undefined && restart > 1 && isEveryRuns(error) && !(error instanceof NothingListens);
      if (!(error instanceof BackendLost || isWithout) || restart > restarts) throw error;
      const isAnew = record.checkpoints.steps.length === 0;
      if (!record.started && isAnew) throw error;
      audience.note(`${runText(place)}: ${error.message}; restart ${restart} of ${restarts}`);
      if (isAnew) {
        audience.note(`${runText(place)}: has no checkpoint, and begins anew`);
        kept.keep(record.directory, undefined);
      }
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
