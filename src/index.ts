/**
 * The public API: write an order and hold it to the contract, use the kernels, run an experiment from a program, read
 * what was recorded.
 */

/** The zod that options are written with. */
export { z } from "zod";
export type { ExperimentConfig } from "./config/config.js";
export { IbatchError, Interrupted } from "./errors.js";
export type { Observer, RunOutcome, RunPlace } from "./experiment/observer.js";
export { argsort, type Direction } from "./kernels/argsort.js";
export { argsortWithin } from "./kernels/argsort-within.js";
export { countClasses, type Grouped, groupByClass } from "./kernels/classes.js";
export { consecutive } from "./kernels/consecutive.js";
export { interleave } from "./kernels/interleave.js";
export { type Random, random, STREAMS, type Stream } from "./kernels/random.js";
export { shuffle, shuffled } from "./kernels/shuffle.js";
export { stratifiedSample } from "./kernels/stratified.js";
export { topK } from "./kernels/top-k.js";
export { weightedKeys, weightedSample } from "./kernels/weighted-sample.js";
export type { LaunchOptions, LaunchResult, Recording } from "./launch/launch.js";
export { runExperiment } from "./launch/run-experiment.js";
export { checkOrder, type Finding } from "./orders/conformance.js";
export { emptyLedger, orderContext } from "./orders/context.js";
export {
  type BatchContext,
  type BatchOrder,
  type Coverage,
  cut,
  type Drawn,
  defineOrder,
  type EitherOrder,
  type EpochOrder,
  type ExtraSignal,
  type LedgerView,
  type MaybePoolOrder,
  type MaybeScoredContext,
  type MemoryArray,
  type MemoryDeclaration,
  type OrderContext,
  type OrderDefinition,
  type OrderResult,
  type OrderStream,
  oneBatch,
  type Pool,
  type PoolContext,
  type PoolOrder,
  type ScoredContext,
  type WantedScores,
} from "./orders/contract.js";
export type { EpochMetrics } from "./record/epoch-metrics.js";
export type { ArmFindings, Comparison, Findings } from "./record/findings-document.js";
export { type RecordedOrder, readOrder } from "./record/recorded-orders.js";
export { readSignal } from "./record/recorded-signals.js";
export type { SignalName } from "./record/run-files.js";
export type { ArmSummary, Spread, Summary } from "./record/summary-document.js";
