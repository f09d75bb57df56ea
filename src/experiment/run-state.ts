/**
 * All that lasts from one batch of a run to the next, as plain data. What is not in here is derived from it, from
 * the config and from what the backend opened, and equals its rebuild.
 */
import { emptyLedger } from "../orders/context.js";
import type { ExtraSignal, MemoryArray } from "../orders/contract.js";
import type { PlanHashes } from "../record/run-record.js";
import { type EpochSeconds, noSeconds } from "./clock.js";
import { type HardSamples, noHardSamples } from "./hard-samples.js";
import type { Ledger } from "./ledger.js";
import { emptyTally, type Tally } from "./measured.js";
import { emptyHistory, type SignalHistory } from "./sample-signals.js";

/** What an order keeps, by the names that it declares. */
export type OrderMemory = Readonly<Record<string, MemoryArray>>;

export interface RunState {
  /** Batches trained on. */
  step: number;
  /** Samples trained on. */
  samples: number;
  /** The epoch under way, or the next one. */
  epoch: number;
  readonly ledger: Ledger;
  /** As it was before the plan of this epoch was made; null: the order was not asked yet. */
  memory: OrderMemory | null;
  /** What the epoch before trained on. */
  before: Uint32Array | null;
  readonly hardSamples: HardSamples;
  /** Null between two epochs. */
  underWay: EpochUnderWay | null;
}

/** An epoch whose plan is made, and which is trained up to the run's step. */
export interface EpochUnderWay {
  readonly firstStep: number;
  /** Samples of the scoring pass before it. */
  readonly scored: number;
  /** Of the plan, which is made again where the run goes on. */
  readonly hashes: PlanHashes;
  /** As the order saw it; null where it reads none. */
  readonly ledger: Ledger | null;
  /** Of the training passes. */
  readonly history: SignalHistory;
  readonly tally: Tally;
  readonly seconds: EpochSeconds;
}

/** A run before its first batch. `extras`: signals that the order declares. */
export const newRunState = (n: number, extras: readonly ExtraSignal[]): RunState => ({
  step: 0,
  samples: 0,
  epoch: 0,
  ledger: emptyLedger(n, extras),
  memory: null,
  before: null,
  hardSamples: noHardSamples(n),
  underWay: null,
});

export interface Begun {
  readonly scored: number;
  readonly hashes: PlanHashes;
  readonly readsLedger: boolean;
  /** Signals of training passes that are kept, beside the losses. */
  readonly extras: readonly ExtraSignal[];
  readonly seconds: EpochSeconds;
}

/** The epoch that the state stands before is under way. */
export function beginEpoch(state: RunState, { scored, hashes, readsLedger, extras, seconds }: Begun): EpochUnderWay {
  const underWay: EpochUnderWay = {
    firstStep: state.step,
    scored,
    hashes,
    ledger: readsLedger ? structuredClone(state.ledger) : null,
    history: emptyHistory(state.ledger.loss.length, extras),
    tally: emptyTally(),
    seconds,
  };
  state.underWay = underWay;
  return underWay;
}

/** What the epoch after the one under way starts from. */
export interface EpochEnd {
  readonly memory: OrderMemory;
  readonly before: Uint32Array;
}

/** The epoch under way is over. */
export function endEpoch(state: RunState, { memory, before }: EpochEnd): void {
  state.epoch += 1;
  state.memory = memory;
  state.before = before;
  state.underWay = null;
}

export { noSeconds };
