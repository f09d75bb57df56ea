/** Wrong labels on purpose: which samples have them, which ones, and how many of them an order draws. */
import type { ArmConfig } from "../config/config.js";
import { usageError } from "../errors.js";
import { random } from "../kernels/random.js";
import { shuffled } from "../kernels/shuffle.js";
import type { LabelNoiseMetrics } from "../record/epoch-metrics.js";

export interface NoisyLabels {
  /** Of every sample of the training part, as it is trained on. */
  readonly labels: Uint32Array;
  /** Samples that have another label than in the dataset, ascending. */
  readonly relabelled: Uint32Array;
}

/** What they are drawn from. */
interface Clean {
  readonly labels: Readonly<Uint32Array>;
  readonly classCount: number;
  readonly eligible: Readonly<Uint32Array>;
}

/**
 * Of the eligible samples the share `fraction`, each with one of the other classes, all as likely. A sample's rank among
 * those that may get another label, and that label, are functions of (seed, n) alone: another subset changes neither.
 * @throws IbatchError where that is none.
 */
export function noisyLabels(
  { labels, classCount, eligible }: Clean,
  { fraction, seed }: NonNullable<ArmConfig["dataset"]["labelNoise"]>,
): NoisyLabels {
  const count = Math.round(fraction * eligible.length);
  if (count === 0) {
    const seen = `dataset.labelNoise.fraction ${fraction} of ${eligible.length} eligible samples is none`;
    throw usageError(`${seen}: raise it, or leave labelNoise out`);
  }
  const numbers = random(seed, "label-noise", 0);
  const others = labels.map((label) => otherThan(label, numbers.below(classCount - 1)));
  const isEligible = new Uint8Array(labels.length);
  for (const sample of eligible) isEligible[sample] = 1;
  const all = Uint32Array.from(labels.keys());
  const ranked = shuffled(all, numbers).filter((sample) => isEligible[sample] === 1);
  const relabelled = ranked.subarray(0, count).sort();
  const noisy = labels.slice();
  for (const sample of relabelled) noisy[sample] = others[sample];
  return { labels: noisy, relabelled };
}

/** Skips the label itself. */
const otherThan = (label: number, drawn: number): number => (drawn >= label ? drawn + 1 : drawn);

/** The samples drawn most: a tenth of those that may be. */
const MOST_DRAWN = 0.1;

/** `draws`: how often each sample was drawn so far. Where the last of the tenth are drawn as often as others, each counts for its share. */
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
