/** Wrong labels on purpose: which samples have them, which ones, and how many of them an order draws. */
import type { ArmConfig } from "../config/config.js";
import { usageError } from "../errors.js";
import { consecutive } from "../kernels/consecutive.js";
import { random } from "../kernels/random.js";
import { shuffled } from "../kernels/shuffle.js";
import type { LabelNoiseMetrics } from "../record/epoch-metrics.js";

export interface NoisyLabels {
  /** Of every sample of the training part, as it is trained on. */
  readonly labels: Uint32Array;
  /** Eligible samples that have another label than in the dataset, ascending. */
  readonly relabelled: Uint32Array;
  /** Those of the other part, which are never trained on, but may be scored. */
  readonly relabelledElsewhere: Uint32Array;
}

/** What they are drawn from. */
interface Clean {
  readonly labels: Readonly<Uint32Array>;
  readonly classCount: number;
  readonly eligible: Readonly<Uint32Array>;
  readonly otherPart: Readonly<Uint32Array>;
}

/**
 * Of the eligible samples, and of those of the other part, the share `fraction`, each with one of the other classes,
 * all as likely. A sample's rank among those that may get another label, and that label, are functions of (seed, n)
 * alone: another subset changes neither.
 * @throws IbatchError where that is none.
 */
export function noisyLabels(
  { labels, classCount, eligible, otherPart }: Clean,
  { fraction, seed }: NonNullable<ArmConfig["dataset"]["labelNoise"]>,
): NoisyLabels {
  const count = Math.round(fraction * eligible.length);
  if (count === 0) {
    const seen = `dataset.labelNoise.fraction ${fraction} of ${eligible.length} eligible samples is none`;
    throw usageError(`${seen}: raise it, or leave labelNoise out`);
  }
  const numbers = random(seed, "label-noise", 0);
  const others = labels.map((label) => otherThan(label, numbers.below(classCount - 1)));
  const ranked = shuffled(consecutive(labels.length), numbers);
  const relabelled = firstOf(ranked, eligible, count);
  const relabelledElsewhere = firstOf(ranked, otherPart, Math.round(fraction * otherPart.length));
  const noisy = labels.slice();
  for (const samples of [relabelled, relabelledElsewhere]) {
    for (const sample of samples) noisy[sample] = others[sample];
  }
  return { labels: noisy, relabelled, relabelledElsewhere };
}

/** So many of these, those that are ranked first; ascending. */
function firstOf(ranked: Readonly<Uint32Array>, of: Readonly<Uint32Array>, count: number): Uint32Array {
  const isOf = new Uint8Array(ranked.length);
  for (const sample of of) isOf[sample] = 1;
  return ranked
    .filter((sample) => isOf[sample] === 1)
    .subarray(0, count)
    .sort();
}

/** Skips the label itself. */
const otherThan = (label: number, drawn: number): number => (drawn >= label ? drawn + 1 : drawn);

/** The samples drawn most: a tenth of those that may be. */
const MOST_DRAWN = 0.1;

/**
 * `draws`: how often each sample was drawn so far. Where the last of the tenth are drawn as often as others, each counts
 * for its share.
 */
export function noiseDrawn(
  draws: Readonly<Uint32Array>,
  eligible: Readonly<Uint32Array>,
  { relabelled }: Pick<NoisyLabels, "relabelled">,
): LabelNoiseMetrics {
  const times = eligible.map((sample) => draws[sample]).sort();
  const noisyTimes = relabelled.map((sample) => draws[sample]);
  const most = Math.max(1, Math.round(MOST_DRAWN * eligible.length));
  const least = times[times.length - most];
  const above = countOf(times, (time) => time > least);
  const level = countOf(times, (time) => time === least);
  const noisyAbove = countOf(noisyTimes, (time) => time > least);
  const noisyLevel = countOf(noisyTimes, (time) => time === least);
  const drawn = sumOf(times);
  return {
    share: relabelled.length / eligible.length,
    drawn: drawn === 0 ? 0 : sumOf(noisyTimes) / drawn,
    mostDrawn: (noisyAbove + ((most - above) * noisyLevel) / level) / most,
  };
}

const sumOf = (values: Readonly<Uint32Array>): number => values.reduce((sum, value) => sum + value, 0);

const countOf = (values: Readonly<Uint32Array>, is: (value: number) => boolean): number =>
  values.reduce((count, value) => count + Number(is(value)), 0);
