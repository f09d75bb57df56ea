/** What a run is trained by, which stays as it is from its first batch to its last. */
import type { RunConfig } from "../config/run-config.js";
import { runSeeds } from "../config/run-seeds.js";
import { concatenated } from "../kernels/concatenated.js";
import { consecutive } from "../kernels/consecutive.js";
import type { RunOrder } from "../order-files/run-order.js";
import type { ExtraSignal } from "../orders/contract.js";
import { ClassComposition } from "./class-composition.js";
import { Evaluator } from "./evaluator.js";
import { type NoisyLabels, noisyLabels } from "./label-noise.js";
import type { LedgerRules } from "./ledger.js";
import { Planner } from "./planner.js";
import type { Listener } from "./run-event.js";
import { RunLength } from "./run-length.js";
import { newRunState, type RunState } from "./run-state.js";
import type { Session } from "./session.js";
import { type Split, splitDataset } from "./split.js";
import type { Boundary } from "./train-chunks.js";

export interface TrainingInputs {
  readonly config: RunConfig;
  /** The order that the config names. */
  readonly order: RunOrder;
  /** The run's. */
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
  readonly split: Split;
  readonly length: RunLength;
  /** Of batches, by the labels below. */
  readonly classes: ClassComposition;
  /** Of every sample, as it is trained on. */
  readonly labels: Uint32Array;
  /** Undefined where these are the dataset's. */
  readonly noise: NoisyLabels | undefined;
}

/** The session has then the labels that are trained on. @throws IbatchError where the config does not fit the data. */
export async function prepareTraining(inputs: TrainingInputs, session: Session): Promise<Training> {
  const { seed } = inputs;
  const { dataset, order, evaluation, fixedSeeds } = inputs.config;
  const classCount = session.opened.classNames.length;
  const split = splitDataset(session.labels, classCount, {
    ...dataset,
    subsetSeed: dataset.subsetSeed === "run" ? seed : 0,
    trainSample: evaluation.trainSample,
  });
  const clean = { labels: session.labels, classCount, ...split };
  const noise = dataset.labelNoise && noisyLabels(clean, dataset.labelNoise);
  const labels = noise?.labels ?? session.labels;
  if (noise !== undefined) {
    const relabelled = concatenated<Uint32Array>(Uint32Array, [noise.relabelled, noise.relabelledElsewhere]);
    await session.relabel(
      relabelled,
      relabelled.map((sample) => labels[sample]),
    );
  }
  const length = new RunLength(inputs.config, inputs.order, split.eligible.length);
  const { signal: source = "training", meanDecay = 0 } = order.ledger ?? {};
  return {
    ...inputs,
    session,
    evaluator: new Evaluator(session, split, evaluation, testSamples(session, dataset)),
    planner: new Planner({ ...inputs, seed: runSeeds(seed, fixedSeeds).order, session, split, length, labels }),
    ledgerRules: { source, meanDecay },
    classes: new ClassComposition(labels, split.eligible, classCount),
    ...{ split, length, labels, noise },
  };
}

/** None where a learning rate is tuned: the test set has no say in that. */
const testSamples = ({ testLabels }: Session, { heldOut }: RunConfig["dataset"]): Uint32Array =>
  consecutive(heldOut === undefined ? testLabels.length : 0);

/** A run before its first batch. */
export const firstState = ({ session, order }: Training): RunState => newRunState(session.labels.length, order.signals);

/** The signals of training passes that the order reads, or that are to be recorded, beside loss and correct. */
export function trainedSignals({ config, order }: Pick<Training, "config" | "order">): readonly ExtraSignal[] {
  const read = config.order.ledger?.signal === "rescore" ? [] : order.signals;
  return [...new Set([...read, ...(config.record.extraSignals ?? [])])];
}
