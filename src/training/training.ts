/** What a run is trained by, which stays as it is from its first batch to its last. */
import type { RunConfig } from "../config/run-config.js";
import type { RunOrder } from "../order-files/run-order.js";
import type { ExtraSignal } from "../orders/contract.js";
import { Evaluator } from "./evaluator.js";
import type { LedgerRules } from "./ledger.js";
import { Planner } from "./planner.js";
import type { Listener } from "./run-event.js";
import { newRunState, type RunState } from "./run-state.js";
import type { Session } from "./session.js";
import { splitDataset } from "./split.js";
import type { Boundary } from "./train-chunks.js";

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
  readonly evaluator: Evaluator;
  readonly planner: Planner;
  readonly ledgerRules: LedgerRules;
}

/** @throws IbatchError where the config does not fit the data. */
export function prepareTraining(inputs: TrainingInputs, session: Session): Training {
  const { dataset, order, evaluation } = inputs.config;
  const split = splitDataset(session.labels, session.opened.classNames.length, {
    ...dataset,
    trainSample: evaluation.trainSample,
  });
  const { signal: source = "training", meanDecay = 0 } = order.ledger ?? {};
  return {
    ...inputs,
    session,
    evaluator: new Evaluator(session, split, evaluation),
    planner: new Planner({ ...inputs, session, split }),
    ledgerRules: { source, meanDecay },
  };
}

/** A run before its first batch. */
export const firstState = ({ session, order }: Training): RunState => newRunState(session.labels.length, order.signals);

/** The signals of training passes that the order reads, beside loss and correct. */
export const trainedSignals = ({ config, order }: Training): readonly ExtraSignal[] =>
  config.order.ledger?.signal === "rescore" ? [] : order.signals;
