/** How an epoch begins: scored where its order waits for that, then planned; or planned again, where a run goes on in it. */
import { IbatchError } from "../errors.js";
import { DEFAULT_LAG } from "../orders/ledger-options.js";
import { type BatchSource, PlanSource } from "./batch-source.js";
import { noSeconds, type Stopwatch, secondsSince } from "./clock.js";
import { nothingDecided } from "./decided-source.js";
import { type Ledger, recordScores } from "./ledger.js";
import { orderIn } from "./order-in-epoch.js";
import type { PlannedEpoch, Planner } from "./planner.js";
import {
  type Begun,
  beforeEpoch,
  beginEpoch,
  type EpochUnderWay,
  type PlannedBatches,
  type RunState,
} from "./run-state.js";
import { emptyHistory, recordHistory } from "./sample-signals.js";
import { type Training, trainedSignals } from "./training.js";

/** An epoch under way, and where its batches come from. */
export interface BegunEpoch {
  readonly underWay: EpochUnderWay;
  readonly source: BatchSource;
}

/** Undefined where the scoring pass before the epoch shows that the run has diverged. */
export async function beginOrResume(
  state: RunState,
  training: Training,
  stopwatch: Stopwatch,
): Promise<BegunEpoch | undefined> {
  const { session } = training;
  const order = orderIn(training.length, training.order, beforeEpoch(state));
  if (state.underWay !== null) return resume(state, state.underWay, training);
  const seconds = noSeconds();
  const scored = await scoreIfDue(state, training);
  stopwatch.lap(seconds, "scoring", session.takeSeconds());
  if (scored.hasDiverged) return undefined;
  const begun = { scored: scored.count, ledger: scored.ledger, extras: trainedSignals(training), seconds };
  return (order.eachBatch ? beginBatches : beginPlanned)(state, training, begun, stopwatch);
}

type Scored = Pick<Begun, "scored" | "ledger" | "extras" | "seconds">;

/** With a plan that is made before its first batch. */
async function beginPlanned(
  state: RunState,
  { length, planner, listen, order }: Training,
  begun: Scored,
  stopwatch: Stopwatch,
): Promise<BegunEpoch> {
  const { ledger, seconds } = begun;
  const planned = await planner.plan({ ...state, ...beforeEpoch(state), ledger });
  seconds.ordering = planned.seconds;
  const { epoch, plan, hashes } = planned;
  listen({ type: "planned", epoch, plan, hashes });
  stopwatch.lap(seconds);
  const underWay = beginEpoch(state, {
    ...begun,
    batches: { hashes },
    keepsLedger: orderIn(length, order, beforeEpoch(state)).readsLedger,
  });
  return { underWay, source: new PlanSource(planned, { firstStep: underWay.firstStep, step: state.step }) };
}

/** With batches that are decided one after another. */
async function beginBatches(
  state: RunState,
  training: Training,
  begun: Scored,
  stopwatch: Stopwatch,
): Promise<BegunEpoch> {
  const { config, planner } = training;
  const began = performance.now();
  const memory = await planner.memoryAfter(state.memory);
  const { lag = DEFAULT_LAG } = config.order.ledger ?? {};
  const decided = nothingDecided(planner.samplesOf(beforeEpoch(state)), memory, lag);
  const underWay = beginEpoch(state, { ...begun, batches: decided, keepsLedger: false });
  const start = { ...state, ...beforeEpoch(state) };
  const source = await planner.decide(start, { decided, underWay, step: state.step, ...scoringOf(training) });
  begun.seconds.ordering = secondsSince(began);
  stopwatch.lap(begun.seconds);
  return { underWay, source };
}

/** How candidates are scored, and who is told of batches that are decided. */
const scoringOf = ({ evaluator, order, listen }: Training) => ({
  score: (indices: Uint32Array) => evaluator.scoreOnly(indices, order.signals),
  listen,
});

/** Goes on in an epoch under way. */
async function resume(state: RunState, underWay: EpochUnderWay, training: Training): Promise<BegunEpoch> {
  const { planner, listen } = training;
  const { batches, firstStep } = underWay;
  if ("hashes" in batches) {
    const planned = await planAgain(state, underWay, batches, planner);
    return { underWay, source: new PlanSource(planned, { firstStep, step: state.step }) };
  }
  const start = { ...state, ...beforeEpoch(state) };
  const decided = { decided: batches, underWay, step: state.step };
  const source = await planner.decide(start, { ...decided, ...scoringOf(training) });
  const { plan } = source.planned();
  listen({ type: "decided", epoch: state.epoch, from: 0, indices: plan.indices, weights: plan.weights });
  return { underWay, source };
}

/** A run that cannot go on: its order makes another plan of the epoch under way than it made before. */
export class OtherPlan extends IbatchError {
  constructor(epoch: number, differs: string) {
    super(
      "usage",
      `the plan of epoch ${epoch + 1}, made again, is not the one on record (${differs}): the order or what it reads has ` +
        "changed since, or the order keeps something between epochs outside of its `memory`, which is gone when a run goes on " +
        "(`ibatch order --check` finds that; declare `memory` for it). Bring back what it was, or remove the run's directory to " +
        "train it anew",
    );
  }
}

/** @throws OtherPlan where the plan of an epoch under way comes out otherwise than it is on record. */
async function planAgain(
  state: RunState,
  underWay: EpochUnderWay,
  { hashes }: PlannedBatches,
  planner: Planner,
): Promise<PlannedEpoch> {
  const { epoch, memory, before } = state;
  const ledger = underWay.ledger ?? state.ledger;
  const planned = await planner.plan({ ...beforeEpoch(state), memory, before, ledger });
  const changed = planHashNames.filter((name) => planned.hashes[name] !== hashes[name]);
  if (changed.length === 0) return planned;
  const differs = changed.map((name) => `${name} ${hashes[name].slice(0, 8)}, now ${planned.hashes[name].slice(0, 8)}`);
  throw new OtherPlan(epoch, differs.join("; "));
}

const planHashNames = ["orderSha256", "planSha256"] as const;

/**
 * A scoring pass over the eligible samples, where this epoch's order waits for one. The ledger with its scores is the
 * state's only once the epoch is under way: a run that is stopped before goes on with this pass, and not with two.
 */
async function scoreIfDue(
  state: RunState,
  { length, order, session, evaluator, ledgerRules, listen }: Training,
): Promise<{ readonly count: number; readonly ledger: Ledger; readonly hasDiverged: boolean }> {
  const { epoch, step, ledger } = state;
  if (!length.isScoringDue(beforeEpoch(state))) return { count: 0, ledger, hasDiverged: false };
  const { indices, signals } = await evaluator.score(order.signals);
  const scored = structuredClone(ledger);
  recordScores(scored, ledgerRules, { indices, step, signals });
  const history = emptyHistory(session.labels.length, order.signals);
  recordHistory(history, indices, signals);
  listen({ type: "scored", epoch, history });
  return { count: indices.length, ledger: scored, hasDiverged: signals.loss.some((loss) => !Number.isFinite(loss)) };
}
