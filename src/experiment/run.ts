/** One arm with one seed: its session at the backend, and how its record begins and ends. */
import { asError, IbatchError } from "../errors.js";
import type { RecordedDataset } from "../record/dataset-record.js";
import type { RunDocument, Surroundings } from "../record/run-document.js";
import type { RunRecord } from "../record/run-record.js";
import { type Observer, type RunPlace, tellObserver } from "./observer.js";
import { openRequest } from "./open-request.js";
import { modelOf } from "./other-code.js";
import { recordIn } from "./recording.js";
import { tellAll } from "./run-event.js";
import { Interrupted, Session, type WorkClient } from "./session.js";
import { type MadeIn, refuseOtherSurroundings, surroundingsOf } from "./surroundings.js";
import { firstState, prepareTraining, type Training, type TrainingInputs, trainRun } from "./train-run.js";

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

/**
 * Trains one arm with one seed and records it.
 * Returns how it ended; `interrupted` and `failed` runs are recorded as such and their error is thrown.
 * @throws Unfit before anything is written.
 */
export async function runOne(inputs: RunInputs): Promise<RunDocument> {
  const { config, record, place } = inputs;
  const session = await fitting(() => Session.open(inputs.client, openRequest(inputs), inputs.signal, inputs.note));
  try {
    const training = await fitting(async () => prepareTraining({ ...inputs, listen: listenersOf(inputs) }, session));
    const surroundings = surroundingsOf(session, config.dataset);
    await fitting(async () => {
      inputs.refuseOtherData(surroundings);
      refuseOtherSurroundings({ ...place, ...modelOf(config.model), surroundings }, inputs.kept);
    });
    const document = { ...inputs.document, surroundings };
    inputs.writeDataset(datasetOf(session, config.dataset.name));
    record.start(document);
    inputs.observer.runStarted?.(place);
    if (config.microBatch !== null)
      inputs.log(`${place.arm}, seed ${place.seed}: ${inParts(config.microBatch, session)}`);
    const ended = await trainAll(training, document).catch((error: unknown): never => {
      recordEnd(record, document, error);
      throw error;
    });
    record.write(ended);
    return ended;
  } finally {
    await session.close().catch((error: unknown) => {
      // The run has ended as it has; a backend that cannot go on says so to the next one.
      inputs.log(`${place.arm}, seed ${place.seed}: closing its session failed: ${error}`);
    });
  }
}

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

/** What micro-batches do to the gradient, for the log. */
function inParts(microBatch: number, { opened }: Session): string {
  const { batchNormLayers } = opened.settings;
  const how =
    batchNormLayers === 0
      ? "the gradient is that of whole batches but for rounding (the model has no BatchNorm)"
      : `the model takes batch statistics (BatchNorm layers: ${batchNormLayers}), which are then of each part alone: ` +
        "another gradient than that of whole batches";
  return `batches go through the model in parts of at most ${microBatch} samples; ${how}`;
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

async function trainAll(training: Training, document: RunDocument): Promise<RunDocument> {
  const { divergedAtStep } = await trainRun(firstState(training), training);
  return divergedAtStep === undefined
    ? { ...document, state: "done" }
    : { ...document, state: "diverged", divergedAtStep };
}

/** The record comes first: nobody is told of what is not on disk. */
const listenersOf = ({ record, observer, place, log }: RunInputs) =>
  tellAll(recordIn(record), tellObserver(observer, place), (event) => {
    if (event.type === "logged") log(`${place.arm}, seed ${place.seed}: ${event.line}`);
  });
