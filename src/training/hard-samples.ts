/** The training samples that a run found hardest: where mislabelled ones gather. */
import { groupByClass } from "../kernels/classes.js";
import { consecutive } from "../kernels/consecutive.js";
import { NOT_SEEN } from "../record/recorded-signals.js";
import type { SignalHistory } from "./sample-signals.js";

/** Sums over a run's epochs, each sample as its last training pass of the epoch saw it; one of each a sample. */
export interface HardSamples {
  readonly loss: Float64Array;
  /** Epochs in which it was misjudged. */
  readonly wrong: Uint32Array;
  /** Epochs in which it was drawn. */
  readonly epochs: Uint32Array;
}

export const noHardSamples = (n: number): HardSamples => ({
  loss: new Float64Array(n),
  wrong: new Uint32Array(n),
  epochs: new Uint32Array(n),
});

/** Adds an epoch. */
export function recordEpoch(
  sums: HardSamples,
  labels: Readonly<Uint32Array>,
  { predictions, loss }: Pick<SignalHistory, "predictions" | "loss">,
): void {
  for (let sample = 0; sample < predictions.length; sample++) {
    if (predictions[sample] === NOT_SEEN) continue;
    sums.loss[sample] += loss[sample];
    sums.wrong[sample] += Number(predictions[sample] !== labels[sample]);
    sums.epochs[sample] += 1;
  }
}

export const MOST_CLASSES = 200;

/**
 * Of each class the `count` samples with the highest mean loss, and the `count` that were misjudged in the largest
 * share of epochs (of equally many, those with the higher mean loss); ascending, none twice. Of more than MOST_CLASSES
 * classes those with the highest losses: the report shows 20, and pictures of 40,000 would be the dataset.
 */
export function chooseHardest(
  { loss, wrong, epochs }: HardSamples,
  labels: Uint32Array,
  { classCount, count }: { readonly classCount: number; readonly count: number },
): Uint32Array {
  const meanLoss = (sample: number) => loss[sample] / epochs[sample];
  const wrongShare = (sample: number) => wrong[sample] / epochs[sample];
  const seen = consecutive(labels.length).filter((sample) => epochs[sample] > 0);
  const { indices, offsets } = groupByClass(seen, labels, classCount);
  const ofClasses: { readonly loss: number; readonly samples: readonly number[] }[] = [];
  for (let label = 0; label < classCount; label++) {
    if (offsets[label] === offsets[label + 1]) continue;
    const members = [...indices.subarray(offsets[label], offsets[label + 1])];
    const byLoss = members.sort((a, b) => meanLoss(b) - meanLoss(a) || a - b);
    const byShare = byLoss.filter((sample) => wrong[sample] > 0);
    byShare.sort((a, b) => wrongShare(b) - wrongShare(a)); // stable: then by loss
    ofClasses.push({ loss: meanLoss(byLoss[0]), samples: [...byLoss.slice(0, count), ...byShare.slice(0, count)] });
  }
  const kept =
    ofClasses.length > MOST_CLASSES ? ofClasses.sort((a, b) => b.loss - a.loss).slice(0, MOST_CLASSES) : ofClasses;
  return Uint32Array.from(new Set(kept.flatMap(({ samples }) => samples))).sort();
}
