/** One arm with one seed: its session at the backend, and how its record begins and ends. */

import { BackendError } from "../backend/errors.js";
import { runSeeds } from "../config/run-seeds.js";
import { asError, IbatchError, Interrupted } from "../errors.js";
import type { RunOrder } from "../order-files/run-order.js";
import type { RecordedDataset } from "../record/dataset-record.js";
import { Held } from "../record/lock.js";
import type { RunDocument, Surroundings } from "../record/run-document.js";
import { Checkpointer } from "../training/checkpointer.js";
import { recordIn } from "../training/recording.js";
import { tellAll } from "../training/run-event.js";
import type { RunState } from "../training/run-state.js";
import type { Session, WorkClient } from "../training/session.js";
import { trainRun } from "../training/train-run.js";
import { firstState, prepareTraining, type Training } from "../training/training.js";
import { ownTurn } from "../turn.js";
import { pause } from "./back-off.js";
import type { ExperimentInputs } from "./experiment-inputs.js";
import type { KeptRuns } from "./kept-runs.js";
import { type Audience, runText, tellObserver } from "./observer.js";
import { openSession, orderOf } from "./open-session.js";
import { modelOf } from "./other-code.js";
import { type PlannedRun, refuseOtherArm } from "./plan-runs.js";
import { loadNewest, type ResumePoint, recordResumed } from "./resume.js";
import { clearEnded, endOf, recordStopped } from "./run-end.js";
import { Sharing } from "./sharing.js";
import { bitsSha256, refuseOtherSurroundings, surroundingsOf } from "./surroundings.js";

/** After an interruption: the batch under way ends, and what is saved fits into a message or a few. */
const SECONDS_FOR_A_LAST_CHECKPOINT = 5;

/** What a run is made beside. */
interface Beside {
  /** And of which it is one from then on. */
  readonly kept: KeptRuns;
  /** Backends that did runs by now. */
  atWork(): number;
}

/**
 * Trains one arm with one seed and records it, from where its last checkpoint was taken if it has one.
 * Returns how it ended; `interrupted` and `failed` runs are recorded as such and their error is thrown.
 * @throws Unfit before anything is written.
 */
export async function runOne(
  experiment: ExperimentInputs,
  run: PlannedRun,
  client: WorkClient,
  { kept, atWork }: Beside,
): Promise<RunDocument> {
  const order = orderOf(experiment, run);
  const graceSeconds = run.config.checkpoint === null ? 0 : SECONDS_FOR_A_LAST_CHECKPOINT;
  const session = await fitting(() => openSession(experiment, run, client, graceSeconds));
  const droppedBefore = client.dropped;
  try {
    return await trainRecorded(experiment, run, { order, session, kept, atWork });
  } finally {
    tellDropped(experiment, run, client.dropped - droppedBefore);
    await session.close().catch((error: unknown) => tellNotClosed(experiment, run, error)); // its end is on record already
  }
}

/** They change nothing, and should not be there: something on the way doubles messages, or mixes them up. */
function tellDropped({ audience }: ExperimentInputs, { place }: PlannedRun, dropped: number): void {
  if (dropped === 0) return;
  audience.log(
    `${runText(place)}: dropped ${dropped} of the backend's answers, to what was answered already or of another session or step`,
  );
}

/** A backend that cannot go on says so to the next run. */
function tellNotClosed({ audience }: ExperimentInputs, { place }: PlannedRun, error: unknown): void {
  audience.log(`${runText(place)}: closing its session failed: ${error}`);
}

/**
 * Closes the session of a run that is trained and not yet recorded as such.
 * @throws IbatchError where the user's code was found to have changed what it was computed with.
 */
async function closeTrained(experiment: ExperimentInputs, run: PlannedRun, session: Session): Promise<void> {
  try {
    await session.close();
  } catch (error) {
    if (error instanceof BackendError && error.code === "bad_reference") {
      throw new IbatchError("run", `at its end: ${error.message}`, { cause: error });
    }
    tellNotClosed(experiment, run, error);
  }
}

/** A run's order and session, and what it is made beside. */
interface OpenedRun extends Beside {
  readonly order: RunOrder;
  readonly session: Session;
}

async function trainRecorded(experiment: ExperimentInputs, run: PlannedRun, opened: OpenedRun): Promise<RunDocument> {
  const { audience } = experiment;
  const { config, record, place } = run;
  const { session } = opened;
  const surroundings = surroundingsOf(session, config.dataset);
  const { training, resumed } = await fitting(() => prepare(experiment, run, opened, surroundings));
  const sharing = new Sharing(experiment.record, experiment.workplace.pool.length);
  const document = await inTurn(experiment, run, () => {
    experiment.record.writeDataset(datasetOf(session, config.dataset.name));
    refuseOthers(experiment, run, opened.kept, surroundings);
    return begin({ ...run, document: sharing.begun({ ...run.document, surroundings }) }, resumed, audience.note);
  });
  if (training.noise !== undefined) record.writeTrainedLabels(training.noise.labels);
  audience.observer.runStarted?.(place, resumed && placeOf(resumed.state));
  tellMicroBatches(audience, run, session);
  const state = resumed?.state ?? firstState(training);
  const checkpointer = checkpointerOf(audience, run, session, { surroundings, state });
  const trained = () => sharing.trained(document, opened.atWork(), resumed?.before);
  try {
    const { divergedAtStep } = await trainRun(state, { ...training, boundary: checkpointer });
    await checkpointer?.written();
    const finalCheckpoint = divergedAtStep === undefined ? await checkpointer?.ended(state) : undefined;
    if (config.checkpoint?.final && divergedAtStep === undefined && finalCheckpoint === undefined) {
      audience.note(
        `${runText(place)}: is done without its last checkpoint, which could not be kept (log.txt says why)`,
      );
    }
    await closeTrained(experiment, run, session);
    const ended = endOf(trained(), { divergedAtStep, finalCheckpoint });
    record.write(ended);
    clearEnded(experiment, run, ended);
    return ended;
  } catch (error) {
    if (error instanceof Interrupted) await checkpointer?.stopped(state);
    await checkpointer?.written().catch(() => {}); // the first error is the one to tell
    recordStopped(record, trained(), error);
    if (error instanceof Interrupted) tellWhereItGoesOn(audience, run, state);
    throw error;
  }
}

/** For so long nothing else is done here while another command writes; then the other runs go on, for a second. */
const PATIENCE_SECONDS = 0.25;
const PAUSE_SECONDS = 1;

/** What others are kept out of meanwhile. One that was stopped in the middle of its own holds up this run alone. */
async function inTurn<T>(
  { record, audience, signal }: ExperimentInputs,
  { place }: PlannedRun,
  act: () => T,
): Promise<T> {
  for (let tries = 1; ; tries++) {
    await ownTurn();
    try {
      return record.exclusively(act, PATIENCE_SECONDS);
    } catch (error) {
      if (!(error instanceof Held) || error.isForLong) throw error;
      if (tries === 2) audience.note(`${runText(place)}: waits to begin: ${error.message}`); // it is no moment's work
    }
    await pause(PAUSE_SECONDS, signal);
  }
}

/** @throws IbatchError where it fits neither the data nor what it is made beside. Nothing is written by this. */
async function prepare(
  { audience, orders }: ExperimentInputs,
  run: PlannedRun,
  { order, session, kept }: OpenedRun,
  surroundings: Surroundings,
): Promise<{ readonly training: Training; readonly resumed: ResumePoint | undefined }> {
  const { config, place, record } = run;
  const { seed } = place;
  const { model } = runSeeds(seed, config.fixedSeeds);
  orders.refuseOtherData(config.order, seed, surroundings);
  const made = { arm: place.arm, seed: model, ...modelOf(config.model), surroundings };
  refuseOtherSurroundings(made, kept.values());
  const { directory } = record;
  kept.keep(directory, { ...made, directory, goesOn: true }); // for what is begun beside it
  const training = await prepareTraining({ config, seed, order, listen: listenersOf(audience, run) }, session);
  const resumed = await loadNewest(run, session, surroundings, audience.note);
  return { training, resumed };
}

/**
 * Beside what other commands began or ended here meanwhile.
 * @throws Unfit where this run would not fit beside it.
 */
function refuseOthers(
  { audience }: ExperimentInputs,
  run: PlannedRun,
  kept: KeptRuns,
  surroundings: Surroundings,
): void {
  const others = kept.look();
  if (others.length === 0) return;
  const { place, config } = run;
  const seed = runSeeds(place.seed, config.fixedSeeds).model;
  try {
    refuseOtherArm(run, others);
    const made = others.flatMap((other) => other.made ?? []);
    refuseOtherSurroundings({ arm: place.arm, seed, ...modelOf(config.model), surroundings }, made);
  } catch (error) {
    if (!(error instanceof IbatchError)) throw error;
    kept.keep(run.record.directory, undefined);
    audience.log(`${runText(place)}: ${error.message}`);
    throw new Unfit(error);
  }
}

/** Undefined where the config wants no checkpoints. `state`: at which the run begins, or goes on. */
function checkpointerOf(
  { note, log }: Audience,
  { config, record, document, place }: PlannedRun,
  session: Session,
  { surroundings, state }: { readonly surroundings: Surroundings; readonly state: RunState },
): Checkpointer | undefined {
  const { checkpoint } = config;
  if (checkpoint === null) return undefined;
  const { arm, seed, configHash, ibatchVersion } = document;
  const of = { arm, seed, configHash, ibatchVersion, surroundingsSha256: bitsSha256(surroundings) };
  const ofRun = (tell: (line: string) => void) => (line: string) => tell(`${runText(place)}: ${line}`);
  const told = { note, noteOfRun: ofRun(note), logOfRun: ofRun(log) };
  return new Checkpointer({ checkpoint, session, record, run: of, ...told }, state);
}

function tellWhereItGoesOn({ note }: Audience, { place, record }: PlannedRun, { step }: RunState): void {
  note(`${runText(place)}: interrupted at step ${step}; ${whereItGoesOn(record)}`);
}

function whereItGoesOn({ checkpoints }: PlannedRun["record"]): string {
  try {
    const [newest] = checkpoints.steps;
    return newest === undefined ? "has no checkpoint, and will begin anew" : `will go on from step ${newest}`;
  } catch (error) {
    return `it cannot be seen from where it will go on: ${asError(error).message}`; // the interruption is to be thrown
  }
}

/** Records that the run is under way, afresh or from a checkpoint. Returns what is recorded. */
function begin(run: PlannedRun, resumed: ResumePoint | undefined, note: (line: string) => void): RunDocument {
  if (resumed !== undefined) return recordResumed(run, resumed, note);
  const { record, document } = run;
  record.start(document);
  return document;
}

/** As it is now: the state itself goes on. */
const placeOf = ({ step, samples, epoch }: RunState) => ({ step, samples, epoch });

/** What the config asks for does not fit the data or what it is made beside, or the backend refuses it. */
export class Unfit extends IbatchError {
  constructor(why: IbatchError) {
    super("usage", why.message, { cause: why });
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
function tellMicroBatches({ log }: Audience, { config, place }: PlannedRun, { opened }: Session): void {
  if (config.microBatch === null) return;
  const { batchNormLayers } = opened.settings;
  const how =
    batchNormLayers === 0
      ? "the gradient is that of whole batches but for rounding (the model has no BatchNorm)"
      : `the model takes batch statistics (BatchNorm layers: ${batchNormLayers}), which are then of each part alone: ` +
        "another gradient than that of whole batches";
  const parts = `batches go through the model in parts of at most ${config.microBatch} samples`;
  log(`${runText(place)}: ${parts}; ${how}`);
}

/** The record comes first: nobody is told of what is not on disk. */
const listenersOf = ({ observer, log }: Audience, { record, place }: PlannedRun) =>
  tellAll(recordIn(record), tellObserver(observer, place), (event) => {
    if (event.type === "logged") log(`${runText(place)}: ${event.line}`);
  });
