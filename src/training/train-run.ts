/** The loop that trains a run, epoch by epoch: score, plan, train, evaluate. Whoever trains goes through it. */
import { BackendError, BackendLost } from "../backend/errors.js";
import type { RunConfig } from "../config/run-config.js";
import { IbatchError, Interrupted, usageError } from "../errors.js";
import type { RunOrder } from "../order-files/run-order.js";
import { isScoringDue } from "../orders/ledger-options.js";
import type { BatchNormMetrics, EpochMetrics } from "../record/epoch-metrics.js";
import { fromRecorded } from "../record/number.js";
import { PlanSource } from "./batch-source.js";
import { noSeconds, Stopwatch, timingsOf } from "./clock.js";
import { cutAtDivergence, type Evaluated, hasDiverged } from "./divergence.js";
import { Evaluator } from "./evaluator.js";
import { chooseHardest, recordEpoch } from "./hard-samples.js";
import { type Ledger, type LedgerRules, recordScores, recordTraining } from "./ledger.js";
import { addTo, measuredOf } from "./measured.js";
import { type PlannedEpoch, Planner } from "./planner.js";
import type { Listener } from "./run-event.js";
import { beginEpoch, type EpochUnderWay, endEpoch, newRunState, type RunState } from "./run-state.js";
import { emptyHistory, recordHistory } from "./sample-signals.js";
import type { Session, TrainedOn } from "./session.js";
import { type Split, splitDataset } from "./split.js";
import { type Boundary, trainChunks } from "./train-chunks.js";

/** What a run is trained by. */
export interface TrainingInputs {
  readonly config: RunConfig;
  /** The order that the config names. */
  readonly order: RunOrder;
  readonly seed: number;
  /** Ends the run after so many batches, without a last evaluation; undefined: its epochs end it. */
  readonly mostBatches?: number | undefined;
  /** What is asked of the backend between batches. */
  readonly boundary?: Boundary | undefined;
  readonly listen: Listener;
}

/** The same at a backend. Nothing in here changes while the run is trained, but for a plan that is made early. */
export interface Training extends TrainingInputs {
  readonly session: Session;
  readonly split: Split;
  readonly evaluator: Evaluator;
  readonly planner: Planner;
  readonly ledgerRules: LedgerRules;
}

/** @throws IbatchError where the config does not fit the data. */
export function prepareTraining(inputs: TrainingInputs, session: Session): Training {
  const { config } = inputs;
  const { evaluation } = config;
  const split = splitDataset(session.labels, session.opened.classNames.length, {
    ...config.dataset,
    trainSample: evaluation.trainSample,
  });
  const { signal: source = "training", meanDecay = 0 } = config.order.ledger ?? {};
  return {
    ...inputs,
    session,
    split,
    evaluator: new Evaluator(session, split, evaluation),
    planner: new Planner({ ...inputs, session, split }),
    ledgerRules: { source, meanDecay },
  };
}

/** A run before its first batch. */
export const firstState = ({ session, order }: Training): RunState => newRunState(session.labels.length, order.signals);

/** How a run ended: the step at which it diverged, if it did. */
export interface RunEnd {
  readonly divergedAtStep: number | undefined;
}

/** Trains a run from this state to its end; the state is then what it was there. Its order is at an end, too. */
export async function trainRun(state: RunState, training: Training): Promise<RunEnd> {
  const { order } = training;
  try {
    const divergedAtStep = await trainEpochs(state, training);
    await order.end();
    return { divergedAtStep };
  } finally {
    await order.stop();
  }
}

/** @throws IbatchError where the first epoch's plan cannot be made, or trained on. */
export async function tryFirstPlan(training: Training): Promise<void> {
  const { config, order, planner } = training;
  try {
    if (!isScoringDue(config.order.ledger, 0)) await planner.plan(firstState(training));
  } finally {
    await order.stop();
  }
}

async function trainEpochs(state: RunState, training: Training): Promise<number | undefined> {
  const { config, mostBatches = Number.POSITIVE_INFINITY } = training;
  while (state.epoch < config.epochs && state.step < mostBatches) {
    const { epoch } = state;
    const divergedAtStep = await trainEpoch(state, training).catch((error: unknown) => {
      throw failedIn(epoch, error);
    });
    if (divergedAtStep !== undefined) return divergedAtStep;
  }
  await picture(state, training);
  return undefined;
}

/** An epoch under way, and the plan that it is trained on. */
interface Planned {
  readonly underWay: EpochUnderWay;
  readonly planned: PlannedEpoch;
}

/** Returns the step at which the run diverged, if it did. */
async function trainEpoch(state: RunState, training: Training): Promise<number | undefined> {
  const { session, listen, mostBatches = Number.POSITIVE_INFINITY } = training;
  const { epoch } = state;
  const stopwatch = new Stopwatch();
  const begun = await beginOrResume(state, training, stopwatch);
  if (begun === undefined) return state.step;
  const { underWay, planned } = begun;

  const divergedAtStep = await trainPlan(state, training, begun, stopwatch);
  listen({ type: "epochTrained", epoch, history: underWay.history });
  if (divergedAtStep !== undefined) return divergedAtStep;
  if (state.step >= mostBatches) return undefined;

  const evaluating = evaluate(training, planned);
  evaluating.catch(() => {}); // awaited below, unless the next plan cannot even be asked for
  planNext(state, training, planned);
  const evaluated = await evaluating;
  stopwatch.lap(underWay.seconds, "evaluating", session.takeSeconds());

  recordEpoch(state.hardSamples, session.labels, underWay.history);
  endEpoch(state, { memory: planned.memory, before: planned.plan.indices });
  listen({
    type: "epochEnded",
    metrics: metricsOf(state.step, begun, evaluated),
    timings: timingsOf(epoch, underWay.seconds, training.planner.earlySeconds),
  });
  if (hasDiverged(evaluated)) return state.step;
  await training.boundary?.epochEnded?.(state);
  return undefined;
}

/** Undefined where the scoring pass before the epoch shows that the run has diverged. */
async function beginOrResume(state: RunState, training: Training, stopwatch: Stopwatch): Promise<Planned | undefined> {
  const { planner, session, listen, order } = training;
  if (state.underWay !== null)
    return { underWay: state.underWay, planned: await planAgain(state, state.underWay, planner) };
  const seconds = noSeconds();
  const scored = await scoreIfDue(state, training);
  stopwatch.lap(seconds, "scoring", session.takeSeconds());
  if (scored.hasDiverged) return undefined;
  const { ledger } = scored;
  const planned = await planner.plan({ ...state, ledger });
  seconds.ordering = planned.seconds;
  const { epoch, plan, hashes } = planned;
  listen({ type: "planned", epoch, plan, hashes });
  stopwatch.lap(seconds);
  const { readsLedger } = order;
  const underWay = beginEpoch(state, {
    scored: scored.count,
    ...{ ledger, hashes, readsLedger, seconds },
    extras: trainedSignals(training),
  });
  return { underWay, planned };
}

/** @throws IbatchError where the plan of an epoch under way comes out otherwise than it is on record. */
async function planAgain(state: RunState, underWay: EpochUnderWay, planner: Planner): Promise<PlannedEpoch> {
  const { epoch, memory, before } = state;
  const { firstStep, hashes } = underWay;
  const planned = await planner.plan({
    epoch,
    memory,
    before,
    step: firstStep,
    ledger: underWay.ledger ?? state.ledger,
  });
  const changed = planHashNames.filter((name) => planned.hashes[name] !== hashes[name]);
  if (changed.length === 0) return planned;
  const differs = changed.map((name) => `${name} ${hashes[name].slice(0, 8)}, now ${planned.hashes[name].slice(0, 8)}`);
  throw usageError(
    `the plan of epoch ${epoch}, made again, is not the one on record (${differs.join("; ")}): the order or what it ` +
      "reads has changed since; bring back what it was, or remove the run's directory to train it anew",
  );
}

const planHashNames = ["orderSha256", "planSha256"] as const;

/**
 * A scoring pass over the eligible samples, where this epoch's order waits for one. The ledger with its scores is the
 * state's only once the epoch is under way: a run that is stopped before goes on with this pass, and not with two.
 */
async function scoreIfDue(
  { epoch, step, ledger }: RunState,
  { config, order, session, split, ledgerRules, listen }: Training,
): Promise<{ readonly count: number; readonly ledger: Ledger; readonly hasDiverged: boolean }> {
  if (!isScoringDue(config.order.ledger, epoch)) return { count: 0, ledger, hasDiverged: false };
  const { eligible: indices } = split;
  const signals = await session.score(indices, config.evaluation.batchSize, order.signals);
  const scored = structuredClone(ledger);
  recordScores(scored, ledgerRules, { indices, step, signals });
  const history = emptyHistory(session.labels.length, order.signals);
  recordHistory(history, indices, signals);
  listen({ type: "scored", epoch, history });
  return { count: indices.length, ledger: scored, hasDiverged: signals.loss.some((loss) => !Number.isFinite(loss)) };
}

/** The signals of training passes that the order reads, beside loss and correct. */
const trainedSignals = ({ config, order }: Training) =>
  config.order.ledger?.signal === "rescore" ? [] : order.signals;

/** Trains on what is left of the epoch's plan. Returns the step at which the run diverged, if it did. */
async function trainPlan(
  state: RunState,
  training: Training,
  { underWay, planned }: Planned,
  stopwatch: Stopwatch,
): Promise<number | undefined> {
  const { session, config, boundary } = training;
  const source = new PlanSource(planned.plan, { firstStep: underWay.firstStep, step: state.step });
  const { backend, microBatch } = config;
  const options = {
    chunkBatches: backend.chunkBatches,
    microBatch,
    extras: trainedSignals(training),
    firstStep: state.step,
    boundary,
  };
  for await (const answered of trainChunks(session, source, options)) {
    if ("atBoundary" in answered) {
      answered.atBoundary(state);
      continue;
    }
    const { trained, divergedAtStep } = cutAtDivergence(answered.trained);
    stopwatch.lap(underWay.seconds, "training", session.takeSeconds());
    recordChunk(state, underWay, training, trained);
    if (divergedAtStep !== undefined) {
      session.cancel(); // the chunk behind this one trains for nothing
      return divergedAtStep;
    }
    tellTrained(state, underWay, training, { trained, ofEpoch: source.samples });
  }
  return undefined;
}

/** What a chunk changes in what lasts. */
function recordChunk(state: RunState, underWay: EpochUnderWay, { ledgerRules }: Training, trained: TrainedOn): void {
  const { chunk, signals } = trained;
  recordTraining(state.ledger, ledgerRules, { ...chunk, signals });
  recordHistory(underWay.history, chunk.indices, signals);
  addTo(underWay.tally, signals);
  state.step = chunk.firstStep + chunk.learningRates.length;
  state.samples += chunk.indices.length;
}

function tellTrained(
  { epoch, samples }: RunState,
  { tally }: EpochUnderWay,
  { config, listen }: Training,
  { trained, ofEpoch }: { readonly trained: TrainedOn; readonly ofEpoch: number },
): void {
  const share = (epoch + tally.count / ofEpoch) / config.epochs;
  listen({ type: "trained", epoch, trained, samples, share, loss: fromRecorded(measuredOf(tally).loss) });
}

/** Makes the next epoch's plan while the backend evaluates, where nothing is waited for. */
function planNext(
  { step, ledger }: RunState,
  { config, planner }: Training,
  { epoch, memory, plan }: PlannedEpoch,
): void {
  const next = epoch + 1;
  if (next >= config.epochs || isScoringDue(config.order.ledger, next)) return;
  planner.planEarly({ epoch: next, step, ledger, memory, before: plan.indices });
}

type EvaluatedEpoch = Evaluated & { readonly batchNorm?: BatchNormMetrics };

async function evaluate(
  { evaluator, config, listen }: Training,
  { epoch, plan }: PlannedEpoch,
): Promise<EvaluatedEpoch> {
  if (!evaluator.isDue(epoch, config.epochs)) return {};
  const { evaluated, testPredictions } = await evaluator.look();
  listen({ type: "evaluated", epoch, testPredictions });
  const batchNorm = epoch + 1 === config.epochs ? await evaluator.compareStatistics(plan) : undefined;
  return { ...evaluated, ...(batchNorm && { batchNorm }) };
}

/** `step`: after the epoch. */
function metricsOf(step: number, { underWay, planned }: Planned, evaluated: EvaluatedEpoch): EpochMetrics {
  const { epoch, plan, monitors, hashes } = planned;
  const { learningRates } = plan;
  return {
    ...{ epoch, step },
    batches: learningRates.length,
    samples: plan.indices.length,
    scored: underWay.scored,
    batchSize: batchSizeRange(plan.offsets),
    learningRate: { first: learningRates[0], last: learningRates[learningRates.length - 1] },
    train: measuredOf(underWay.tally),
    ...evaluated,
    order: monitors,
    ...hashes,
  };
}

function batchSizeRange(offsets: Readonly<Uint32Array>): EpochMetrics["batchSize"] {
  let smallest = Number.POSITIVE_INFINITY;
  let largest = 0;
  for (let batch = 0; batch + 1 < offsets.length; batch++) {
    const size = offsets[batch + 1] - offsets[batch];
    smallest = Math.min(smallest, size);
    largest = Math.max(largest, size);
  }
  return { smallest, largest };
}

/** Pictures for the report; a run is not lost for want of them. */
async function picture({ hardSamples }: RunState, { config, session, listen }: Training): Promise<void> {
  const { classNames, inputShape } = session.opened;
  const each = { classCount: classNames.length, count: config.record.images };
  const indices = chooseHardest(hardSamples, session.labels, each);
  if (indices.length === 0) return;
  const [channels, height, width] = inputShape;
  try {
    const pixels = await session.images("train", indices);
    listen({ type: "pictured", images: { indices, shape: [height, width, channels], pixels } });
  } catch (error) {
    if (!(error instanceof BackendError) || error instanceof BackendLost) throw error;
    listen({ type: "logged", line: `no images for the report: ${error.message}` });
  }
}

/** What goes wrong in an epoch is the run's failure, whoever's fault; what the backend says does not name the epoch. */
function failedIn(epoch: number, error: unknown): unknown {
  if (!(error instanceof IbatchError) || error instanceof Interrupted || error instanceof BackendLost) return error;
  const { kind, message } = error;
  if (kind !== "usage" && kind !== "run") return error;
  return new IbatchError("run", error instanceof BackendError ? `in epoch ${epoch}: ${message}` : message, {
    cause: error,
  });
}
