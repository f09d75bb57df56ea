import { usageError } from "../errors.js";
import { consecutive } from "../kernels/consecutive.js";
import { random, type Stream } from "../kernels/random.js";
import { stratifiedSample } from "../kernels/stratified.js";

/** Which samples are for what. All ascending; functions of labels and options, the subset's seed among these. */
export interface Split {
  /** May be trained on. */
  readonly eligible: Uint32Array;
  /** With `part`, the samples of the other one; else none. */
  readonly otherPart: Uint32Array;
  /** Held out of the training set, disjoint from `eligible`; of a run that a rate is tuned by, what that is tuned on. */
  readonly validation: Uint32Array;
  /** Part of `eligible`: on what arms are compared by training loss. */
  readonly trainSample: Uint32Array;
}

export interface SplitOptions {
  readonly part?: "a" | "b";
  readonly subset: number | null;
  /** By which the subset is drawn; all else is the same for every seed. */
  readonly subsetSeed?: number;
  readonly validation: number;
  /** Of a run that a learning rate is tuned by: the share of what is eligible that it is tuned on. */
  readonly heldOut?: number;
  readonly trainSample: number;
}

/**
 * Validation part first, then the half of the rest that `part` names, then the subset of it, of which rates are tuned on a
 * share, then the fixed sample of what is left; each stratified by class.
 * @throws IbatchError when more is asked for than is there.
 */
export function splitDataset(labels: Uint32Array, classCount: number, options: SplitOptions): Split {
  const all = consecutive(labels.length);
  const { part, subset, subsetSeed = 0, validation: validationCount, heldOut, trainSample } = options;
  if (validationCount + (subset ?? 1) > all.length) {
    throw usageError(
      subset === null
        ? `dataset.validation ${validationCount} leaves nothing of the ${all.length} training samples: lower it`
        : `dataset.subset ${subset} and dataset.validation ${validationCount} are more than ` +
            `the ${all.length} training samples: lower one of them`,
    );
  }
  const draw = (from: Uint32Array, count: number, stream: Stream, seed = 0): Uint32Array =>
    count >= from.length ? from : stratifiedSample(from, labels, classCount, count, random(seed, stream, 0));
  const validation = draw(all, validationCount, "validation");
  const rest = without(all, validation);
  const a = part === undefined ? rest : draw(rest, Math.ceil(rest.length / 2), "part");
  const b = without(rest, a);
  const [own, otherPart] = part === "b" ? [b, a] : [a, b];
  if (own.length < (subset ?? 1)) {
    throw usageError(
      `dataset.part ${part} has ${own.length} of the ${rest.length} samples, dataset.subset asks for ${subset}: lower it`,
    );
  }
  const given = draw(own, subset ?? own.length, "subset", subsetSeed);
  const tunedOn = heldOut === undefined ? undefined : draw(given, countHeldOut(heldOut, given.length), "tuning");
  const eligible = tunedOn === undefined ? given : without(given, tunedOn);
  const sample = draw(eligible, trainSample, "train-sample");
  return { eligible, otherPart, validation: tunedOn ?? validation, trainSample: sample };
}

function countHeldOut(share: number, of: number): number {
  const count = Math.round(share * of);
  if (count > 0 && count < of) return count;
  const seen = `tune.validation ${share} of ${of} samples is ${count === 0 ? "none" : "all of them"}`;
  throw usageError(`${seen}: ${count === 0 ? "raise" : "lower"} it`);
}

function without(all: Uint32Array, removed: Uint32Array): Uint32Array {
  const gone = new Set(removed);
  return all.filter((index) => !gone.has(index));
}
