/** The loop that trains a run, epoch by epoch: score, plan, train, evaluate. Whoever trains goes through it. */
import { BackendError, BackendLost } from "../backend/errors.js";
import { IbatchError, Interrupted } from "../errors.js";
import { EXTRA_SIGNALS } from "../orders/contract.js";
import { fromRecorded } from "../record/number.js";
import { averagedUpdates, averageIn } from "./averaging.js";
import { type BegunEpoch, beginOrResume } from "./begin-epoch.js";
import { Stopwatch, timingsOf } from "./clock.js";
import { cutAtDivergence, hasDiverged } from "./divergence.js";
import { evaluate, metricsOf } from "./evaluate-epoch.js";
import { recordEpoch } from "./hard-samples.js";
import { recordTraining } from "./ledger.js";
import { addTo, measuredOf } from "./measured.js";
import { orderAlarms, orderAlarmText } from "./order-alarms.js";
import { orderIn } from "./order-in-epoch.js";
import { picture } from "./picture.js";
import type { PlannedEpoch } from "./planner.js";
import type { Before } from "./run-length.js";
import { afterEpoch, beforeEpoch, type EpochUnderWay, endEpoch, type RunState } from "./run-state.js";
import { recordHistory } from "./sample-signals.js";
import type { TrainedOn } from "./session.js";
import { trainChunks } from "./train-chunks.js";
import { firstState, type Training } from "./training.js";
import { withinEpoch } from "./within-epoch.js";

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
  const { length, order, planner } = training;
  try {
    const state = firstState(training);
    if (length.isScoringDue(state)) return;
    if (order.eachBatch) await tryFirstBatch(training);
    else await planner.plan(state);
  } finally {
    await order.stop();
  }
}

/** Of an order that decides each batch. */
async function tryFirstBatch(training: Training): Promise<void> {
  const begun = await beginOrResume(firstState(training), { ...training, listen: () => {} }, new Stopwatch());
  await begun?.source.next(1);
}

async function trainEpochs(state: RunState, training: Training): Promise<number | undefined> {
  const { length, mostBatches = Number.POSITIVE_INFINITY } = training;
  while (!(state.underWay === null && length.isOver(state)) && state.step < mostBatches) {
    const { epoch } = state;
    const divergedAtStep = await trainEpoch(state, training).catch((error: unknown) => {
      throw failedIn(epoch, error);
    });
    if (divergedAtStep !== undefined) return divergedAtStep;
  }
  if (training.mostBatches === undefined) await scoreAll(training); // of a run that is cut nothing is evaluated
  await picture(state, training);
  return undefined;
}

/** Every sample of the training set by the final weights, where that is asked for. */
async function scoreAll({ config, evaluator, listen }: Training): Promise<void> {
  if (config.record.scoreAll) listen({ type: "scoredAll", losses: await evaluator.lossesOfAll() });
}

/** Returns the step at which the run diverged, if it did. */
async function trainEpoch(state: RunState, training: Training): Promise<number | undefined> {
  const { session, listen, mostBatches = Number.POSITIVE_INFINITY } = training;
  const { epoch } = state;
  const stopwatch = new Stopwatch();
  const begun = await beginOrResume(state, training, stopwatch);
  if (begun === undefined) return state.step;
  const { underWay, source } = begun;

  const divergedAtStep = await trainBatches(state, training, begun, stopwatch);
  const planned = source.planned();
  // Of an epoch that was not trained to its end there is no plan: what was decided of it is on record all the same.
  const isDecided = "count" in underWay.batches && divergedAtStep === undefined;
  if (isDecided) listen({ type: "planned", epoch, plan: planned.plan, hashes: planned.hashes });
  listen({ type: "epochTrained", epoch, history: underWay.history });
  if (divergedAtStep !== undefined) return divergedAtStep;
  if (state.step >= mostBatches) return undefined;

  const after = afterEpoch(state);
  const evaluating = evaluate(training, planned, {
    isLast: training.length.isOver(after),
    averaged: averagedUpdates(state, state.step),
  });
  evaluating.catch(() => {}); // awaited below, unless the next plan cannot even be asked for
  planNext({ ...after, ledger: state.ledger }, training, planned);
  const evaluated = await evaluating;
  const spent = session.takeSeconds();
  stopwatch.lap(underWay.seconds, "evaluating", spent);

  recordEpoch(state.hardSamples, training.labels, underWay.history);
  endEpoch(state, { memory: planned.memory, before: planned.plan.indices });
  const metrics = metricsOf(state, underWay, { planned, evaluated, training });
  const { earlySeconds: ordering } = training.planner;
  const timings = timingsOf(epoch, underWay.seconds, { ordering, evaluating: spent.evaluating });
  listen({ type: "epochEnded", metrics, timings });
  for (const alarm of orderAlarms(metrics)) {
    listen({ type: "logged", line: `epoch ${epoch + 1}: the order ${orderAlarmText(alarm, metrics)}` });
  }
  if (hasDiverged(evaluated)) return state.step;
  await training.boundary?.epochEnded?.(state);
  return undefined;
}

/** Makes the next epoch's plan while the backend evaluates, where nothing is waited for. */
function planNext(
  next: Before & Pick<RunState, "ledger">,
  { length, order, planner }: Training,
  { memory, plan }: PlannedEpoch,
): void {
  if (length.isOver(next) || orderIn(length, order, next).eachBatch || length.isScoringDue(next)) return;
  planner.planEarly({ ...next, memory, before: plan.indices });
}

/** Trains on what is left of the epoch. Returns the step at which the run diverged, if it did. */
async function trainBatches(
  state: RunState,
  training: Training,
  begun: BegunEpoch,
  stopwatch: Stopwatch,
): Promise<number | undefined> {
  const { underWay, source } = begun;
  const { session, config, boundary } = training;
  const { backend, microBatch } = config;
  const options = {
    chunkBatches: backend.chunkBatches,
    microBatch,
    average: averageIn(state, training, source),
    extras: EXTRA_SIGNALS.filter((signal) => underWay.history[signal] !== undefined), // as the epoch began to keep them
    firstStep: state.step,
    boundaries: [withinEpoch(state, training, begun), boundary].filter((one) => one !== undefined),
  };
  for await (const answered of trainChunks(session, source, options)) {
    if ("atBoundary" in answered) {
      answered.atBoundary(state);
      continue;
    }
    const { trained, divergedAtStep } = cutAtDivergence(answered.trained);
    stopwatch.lap(underWay.seconds, "training", session.takeSeconds(), source.takeSecondsOfDeciding());
    recordChunk(state, underWay, training, trained);
    source.learned(trained.chunk.indices);
    if (divergedAtStep !== undefined) {
      session.cancel(); // the chunk behind this one trains for nothing
      return divergedAtStep;
    }
    tellTrained(state, underWay, training, { trained, ofEpoch: source.samples });
  }
  return source.divergedAtStep;
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
  state: RunState,
  { tally, firstStep }: EpochUnderWay,
  { length, listen }: Training,
  { trained, ofEpoch }: { readonly trained: TrainedOn; readonly ofEpoch: number },
): void {
  const { epoch, step, samples } = state;
  const share = length.progress(beforeEpoch(state), { samples: tally.count, batches: step - firstStep }, ofEpoch);
  listen({ type: "trained", epoch, trained, samples, share, loss: fromRecorded(measuredOf(tally).loss) });
}

/** What goes wrong in an epoch is the run's failure, whoever's fault; what the backend says does not name the epoch. */
function failedIn(epoch: number, error: unknown): unknown {
  if (!(error instanceof IbatchError) || error instanceof Interrupted || error instanceof BackendLost) return error;
  const { kind, message } = error;
  if (kind !== "usage" && kind !== "run") return error;
  return new IbatchError("run", error instanceof BackendError ? `in epoch ${epoch + 1}: ${message}` : message, {
    cause: error,
  });
}
