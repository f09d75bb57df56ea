/** One arm with one seed: its session at the backend, and how its record begins and ends. */

import { BackendError } from "../backend/errors.js";
import type { ExperimentConfig } from "../config/config.js";
import { asError, IbatchError } from "../errors.js";
import type { RecordedDataset } from "../record/dataset-record.js";
import type { RunDocument, Surroundings } from "../record/run-document.js";
import type { RunRecord } from "../record/run-record.js";
import { Checkpointer } from "../training/checkpointer.js";
import { openRequest } from "../training/open-request.js";
import { recordIn } from "../training/recording.js";
import { tellAll } from "../training/run-event.js";
import type { RunState } from "../training/run-state.js";
import { Interrupted, Session, type WorkClient } from "../training/session.js";
import { firstState, prepareTraining, type RunEnd, type TrainingInputs, trainRun } from "../training/train-run.js";
import { type Observer, type RunPlace, tellObserver } from "./observer.js";
import { modelOf } from "./other-code.js";
import { loadNewest, type ResumePoint, recordResumed } from "./resume.js";
import { bitsSha256, type MadeIn, refuseOtherSurroundings, surroundingsOf } from "./surroundings.js";

export interface RunInputs extends Omit<TrainingInputs, "listen" | "mostBatches" | "boundary"> {
  readonly client: WorkClient;
  readonly record: RunRecord;
  readonly place: RunPlace;
  readonly observer: Observer;
  /** A line for the experiment's log. */
  log(line: string): void;
  /** Directory of the data files, on the backend's side; null: `data`. */
  readonly dataDir: string | null;
  /** Whether what may give other bits from run to run is refused. */
  readonly equalBits: boolean;
  /** Of its session at the backend. */
  readonly owner: string;
  /** When checkpoints are taken; null: never, and none is used. */
  readonly policy: ExperimentConfig["checkpoint"];
  /** What `run.json` says of the run before it starts. */
  readonly document: RunDocument;
  /** @throws IbatchError where its order was recorded on other data. */
  refuseOtherData(made: Surroundings): void;
  /** The results beside which this one will stand. */
  readonly kept: readonly MadeIn[];
  readonly signal: AbortSignal;
  /** A line for a person. */
  note(line: string): void;
  /** Records what the run trains on, for all runs. */
  writeDataset(dataset: RecordedDataset): void;
}

/** After an interruption: the batch under way ends, and what is saved fits into a message or a few. */
const SECONDS_FOR_A_LAST_CHECKPOINT = 5;

/**
 * Trains one arm with one seed and records it, from where its last checkpoint was taken if it has one.
 * Returns how it ended; `interrupted` and `failed` runs are recorded as such and their error is thrown.
 * @throws Unfit before anything is written.
 */
export async function runOne(inputs: RunInputs): Promise<RunDocument> {
  const { client, signal, note, policy } = inputs;
  const graceSeconds = policy === null ? 0 : SECONDS_FOR_A_LAST_CHECKPOINT;
  const session = await fitting(() => Session.open(client, openRequest(inputs), signal, note, graceSeconds));
  try {
    return await trainRecorded(inputs, session);
  } finally {
    await session.close().catch((error: unknown) => tellNotClosed(inputs, error)); // its end is on record already
  }
}

/** A backend that cannot go on says so to the next run. */
function tellNotClosed({ log, place }: RunInputs, error: unknown): void {
  log(`${place.arm}, seed ${place.seed}: closing its session failed: ${error}`);
}

/**
 * Closes the session of a run that is trained and not yet recorded as such.
 * @throws IbatchError where the user's code was found to have changed what it was computed with.
 */
async function closeTrained(inputs: RunInputs, session: Session): Promise<void> {
  try {
    await session.close();
  } catch (error) {
    if (error instanceof BackendError && error.code === "bad_reference") {
      throw new IbatchError("run", `at its end: ${error.message}`, { cause: error });
    }
    tellNotClosed(inputs, error);
  }
}

async function trainRecorded(inputs: RunInputs, session: Session): Promise<RunDocument> {
  const { config, record, place, policy } = inputs;
  const surroundings = surroundingsOf(session, config.dataset);
  const { training, resumed } = await fitting(async () => {
    inputs.refuseOtherData(surroundings);
    refuseOtherSurroundings({ ...place, ...modelOf(config.model), surroundings }, inputs.kept);
    const training = prepareTraining({ ...inputs, listen: listenersOf(inputs) }, session);
    return { training, resumed: policy === null ? undefined : await loadNewest(inputs, session, surroundings) };
  });
  inputs.writeDataset(datasetOf(session, config.dataset.name));
  const document = begin({ ...inputs, document: { ...inputs.document, surroundings } }, resumed);
  inputs.observer.runStarted?.(place, resumed && placeOf(resumed.state));
  tellMicroBatches(inputs, session);
  const state = resumed?.state ?? firstState(training);
  const { arm, seed, configHash, ibatchVersion } = inputs.document;
  const run = { arm, seed, configHash, ibatchVersion, surroundingsSha256: bitsSha256(surroundings) };
  const checkpointer = policy && new Checkpointer({ ...inputs, policy, session, run }, state);
  try {
    const { divergedAtStep } = await trainRun(state, { ...training, boundary: checkpointer ?? undefined });
    await checkpointer?.written();
    const finalCheckpoint = divergedAtStep === undefined ? await checkpointer?.ended(state) : undefined;
    if (policy?.final && divergedAtStep === undefined && finalCheckpoint === undefined) {
      inputs.note(
        `${arm}, seed ${seed}: is done without its last checkpoint, which could not be kept (log.txt says why)`,
      );
    }
    await closeTrained(inputs, session);
    const ended = endOf(document, { divergedAtStep, finalCheckpoint });
    record.write(ended);
    return ended;
  } catch (error) {
    if (error instanceof Interrupted) await checkpointer?.stopped(state);
    await checkpointer?.written().catch(() => {}); // the first error is the one to tell
    recordEnd(record, document, error);
    throw error;
  }
}

/** Records that the run is under way, afresh or from a checkpoint. Returns what is recorded. */
function begin(inputs: RunInputs, resumed: ResumePoint | undefined): RunDocument {
  const { record, document } = inputs;
  if (resumed !== undefined) return recordResumed(inputs, resumed);
  record.start(document);
  return document;
}

/** As it is now: the state itself goes on. */
const placeOf = ({ step, samples, epoch }: RunState) => ({ step, samples, epoch });

/** What the config asks for does not fit the data or the results beside it, or the backend refuses it. */
export class Unfit extends IbatchError {
  constructor({ message }: IbatchError) {
    super("usage", message);
  }
}

async function fitting<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    throw error instanceof IbatchError && error.kind === "usage" ? new Unfit(error) : error;
  }
}

const datasetOf = ({ opened, labels, testLabels }: Session, name: string): RecordedDataset => ({
  name,
  dataSha256: opened.dataSha256,
  classNames: opened.classNames,
  inputShape: opened.inputShape,
  labels,
  testLabels,
});

/** What they do to the gradient, for the log. */
function tellMicroBatches({ config, place, log }: RunInputs, { opened }: Session): void {
  if (config.microBatch === null) return;
  const { batchNormLayers } = opened.settings;
  const how =
    batchNormLayers === 0
      ? "the gradient is that of whole batches but for rounding (the model has no BatchNorm)"
      : `the model takes batch statistics (BatchNorm layers: ${batchNormLayers}), which are then of each part alone: ` +
        "another gradient than that of whole batches";
  const parts = `batches go through the model in parts of at most ${config.microBatch} samples`;
  log(`${place.arm}, seed ${place.seed}: ${parts}; ${how}`);
}

/** As `interrupted` or `failed`; where even that cannot be written, `running` stays, and the run is done again. */
function recordEnd(record: RunInputs["record"], document: RunDocument, error: unknown): void {
  const state = error instanceof Interrupted ? "interrupted" : "failed";
  try {
    record.write({ ...document, state, error: asError(error).message });
  } catch {
    // the first error is the one to tell
  }
}

function endOf(
  document: RunDocument,
  { divergedAtStep, finalCheckpoint }: RunEnd & { readonly finalCheckpoint: number | undefined },
): RunDocument {
  return {
    ...document,
    state: divergedAtStep === undefined ? "done" : "diverged",
    ...(divergedAtStep !== undefined && { divergedAtStep }),
    ...(finalCheckpoint !== undefined && { finalCheckpoint }),
  };
}

/** The record comes first: nobody is told of what is not on disk. */
const listenersOf = ({ record, observer, place, log }: RunInputs) =>
  tellAll(recordIn(record), tellObserver(observer, place), (event) => {
    if (event.type === "logged") log(`${place.arm}, seed ${place.seed}: ${event.line}`);
  });
