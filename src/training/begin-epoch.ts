/** How an epoch begins: scored where its order waits for that, then planned; or planned again, where a run goes on in it. */
import { usageError } from "../errors.js";
import { isScoringDue } from "../orders/ledger-options.js";
import { noSeconds, type Stopwatch } from "./clock.js";
import { type Ledger, recordScores } from "./ledger.js";
import type { PlannedEpoch, Planner } from "./planner.js";
import { beginEpoch, type EpochUnderWay, type RunState } from "./run-state.js";
import { emptyHistory, recordHistory } from "./sample-signals.js";
import { type Training, trainedSignals } from "./training.js";

/** An epoch under way, and the plan that it is trained on. */
export interface BegunEpoch {
  readonly underWay: EpochUnderWay;
  readonly planned: PlannedEpoch;
}

/** Undefined where the scoring pass before the epoch shows that the run has diverged. */
export async function beginOrResume(
  state: RunState,
  training: Training,
  stopwatch: Stopwatch,
): Promise<BegunEpoch | undefined> {
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
