/** How an epoch begins: scored where its order waits for that, then planned; or planned again, where a run goes on in it. */
import { usageError } from "../errors.js";
import { isScoringDue } from "../orders/ledger-options.js";
import type { PlanHashes } from "../record/run-record.js";
import { type BatchSource, PlanSource } from "./batch-source.js";
import { noSeconds, type Stopwatch } from "./clock.js";
import { nothingDecided } from "./decided-batches.js";
import { type Ledger, recordScores } from "./ledger.js";
import type { PlannedEpoch, Planner } from "./planner.js";
import { type Begun, beginEpoch, type EpochUnderWay, type RunState } from "./run-state.js";
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
  const { session, order } = training;
  if (state.underWay !== null) return resume(state, state.underWay, training);
  const seconds = noSeconds();
  const scored = await scoreIfDue(state, training);
  stopwatch.lap(seconds, "scoring", session.takeSeconds());
  if (scored.hasDiverged) return undefined;
  const begun = { scored: scored.count, ledger: scored.ledger, extras: trainedSignals(training), seconds };
  return order.eachBatch ? beginBatches(state, training, begun) : beginPlanned(state, training, begun, stopwatch);
}

type Scored = Pick<Begun, "scored" | "ledger" | "extras" | "seconds">;

/** With a plan that is made before its first batch. */
async function beginPlanned(
  state: RunState,
  { planner, listen, order }: Training,
  begun: Scored,
  stopwatch: Stopwatch,
): Promise<BegunEpoch> {
  const { ledger, seconds } = begun;
  const planned = await planner.plan({ ...state, ledger });
  seconds.ordering = planned.seconds;
  const { epoch, plan, hashes } = planned;
  listen({ type: "planned", epoch, plan, hashes });
  stopwatch.lap(seconds);
  const underWay = beginEpoch(state, { ...begun, hashes, decided: null, keepsLedger: order.readsLedger });
  return { underWay, source: new PlanSource(planned, { firstStep: underWay.firstStep, step: state.step }) };
}

/** With batches that are decided one after another. */
async function beginBatches(state: RunState, { planner, listen }: Training, begun: Scored): Promise<BegunEpoch> {
  const memory = await planner.memoryAfter(state.memory);
  const decided = nothingDecided(planner.samplesOf(state.epoch), memory);
  const underWay = beginEpoch(state, { ...begun, hashes: null, decided, keepsLedger: false });
  const { firstStep, seconds } = underWay;
  return { underWay, source: await planner.decide(state, { decided, firstStep, seconds }, listen) };
}

/** Goes on in an epoch under way. */
async function resume(state: RunState, underWay: EpochUnderWay, { planner, listen }: Training): Promise<BegunEpoch> {
  const { hashes, decided, firstStep, seconds } = underWay;
  if (hashes !== null) {
    const planned = await planAgain(state, { ...underWay, hashes }, planner);
    return { underWay, source: new PlanSource(planned, { firstStep, step: state.step }) };
  }
  if (decided === null) throw new Error("an epoch under way has a plan, or batches that are decided");
  const source = await planner.decide(state, { decided, firstStep, seconds }, listen);
  const { plan } = source.planned();
  listen({ type: "decided", epoch: state.epoch, from: 0, indices: plan.indices, weights: plan.weights });
  return { underWay, source };
}

type PlannedUnderWay = EpochUnderWay & { readonly hashes: PlanHashes };

/** @throws IbatchError where the plan of an epoch under way comes out otherwise than it is on record. */
async function planAgain(state: RunState, underWay: PlannedUnderWay, planner: Planner): Promise<PlannedEpoch> {
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
    `the plan of epoch ${epoch + 1}, made again, is not the one on record (${differs.join("; ")}): the order or what it ` +
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
  { config, order, session, evaluator, ledgerRules, listen }: Training,
): Promise<{ readonly count: number; readonly ledger: Ledger; readonly hasDiverged: boolean }> {
  if (!isScoringDue(config.order.ledger, epoch)) return { count: 0, ledger, hasDiverged: false };
  const { indices, signals } = await evaluator.score(order.signals);
  const scored = structuredClone(ledger);
  recordScores(scored, ledgerRules, { indices, step, signals });
  const history = emptyHistory(session.labels.length, order.signals);
  recordHistory(history, indices, signals);
  listen({ type: "scored", epoch, history });
  return { count: indices.length, ledger: scored, hasDiverged: signals.loss.some((loss) => !Number.isFinite(loss)) };
}
