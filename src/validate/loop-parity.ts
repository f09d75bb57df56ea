/** The backend that TypeScript drives against a plain PyTorch loop: losses at every step, weights, evaluation. */

import type { Check } from "../record/validation-record.js";
import type { Weights } from "../training/session.js";

/** 0: equal to the bit. Else the largest difference as a share of the largest value, of losses or of a tensor. */
export interface Tolerance {
  readonly share: number;
  readonly said: string;
}

/** What may differ: nothing on the CPU in float32. */
export function toleranceOf(asked: number | undefined, device: string, precision: string): Tolerance {
  if (asked !== undefined) return { share: asked, said: `${asked} of the largest` };
  if (precision !== "float32") return { share: 1e-2, said: `0.01 of the largest (${precision})` };
  if (device !== "cpu") return { share: 1e-3, said: "0.001 of the largest (GPU)" };
  return { share: 0, said: "equal bits" };
}

export interface Losses {
  readonly ours: Float32Array;
  readonly theirs: Float32Array;
  /** Samples of each batch. */
  readonly batchSizes: readonly number[];
}

export function lossesCheck({ ours, theirs, batchSizes }: Losses, tolerance: Tolerance): Check {
  const name = "losses at every step";
  if (ours.length !== theirs.length) {
    const detail = `the loop gave ${theirs.length} losses, the backend ${ours.length}`;
    return { name, verdict: "fail", measured: `${theirs.length} losses`, tolerance: tolerance.said, detail };
  }
  const { largest, share, first } = compare(ours, theirs, tolerance.share);
  const measured = largest === 0 ? `${ours.length} equal` : `${exponential(largest)} at most`;
  if (first === undefined) return { name, verdict: "pass", measured, tolerance: tolerance.said, detail: "" };
  const step = stepOf(first, batchSizes);
  const detail =
    `first at step ${step}: ${ours[first]} here, ${theirs[first]} in the loop; ` +
    `the largest difference is ${exponential(share)} of the largest loss`;
  return { name, verdict: "fail", measured, tolerance: tolerance.said, detail };
}

/** Of test samples, in evaluation mode. */
export function evaluationCheck(ours: Float32Array, theirs: Float32Array, tolerance: Tolerance): Check {
  const { largest, first } = compare(ours, theirs, tolerance.share);
  const same = first === undefined && ours.length === theirs.length;
  return {
    name: "evaluation after training",
    verdict: same ? "pass" : "fail",
    measured: largest === 0 ? `${ours.length} losses equal` : `${exponential(largest)} at most`,
    tolerance: tolerance.said,
    detail: same
      ? ""
      : `first at test sample ${first}: loss ${ours[first ?? 0]} here, ${theirs[first ?? 0]} in the loop`,
  };
}

export interface WeightsCompared {
  readonly name: string;
  readonly ours: Weights;
  readonly theirs: Float32Array;
  /** Before the first step; for what the updates have to do with each other. */
  readonly initial?: Weights | undefined;
}

export function weightsCheck({ name, ours, theirs, initial }: WeightsCompared, tolerance: Tolerance): Check {
  const tensors = eachTensor(ours).map(({ name, start, end }) => ({
    name,
    start,
    end,
    ...compare(ours.values.subarray(start, end), theirs.subarray(start, end), tolerance.share),
  }));
  const different = tensors.filter(({ first }) => first !== undefined);
  const largest = Math.max(0, ...tensors.map((tensor) => tensor.largest));
  const measured = largest === 0 ? `${tensors.length} tensors equal` : `${exponential(largest)} at most`;
  const [first] = different;
  if (first === undefined) return { name, verdict: "pass", measured, tolerance: tolerance.said, detail: "" };
  const which = different.length === tensors.length ? "all" : `${different.length} of ${tensors.length}`;
  const hint = [onlyBiases(different, tensors.length), initial && multiple(initial, ours, theirs, different)].find(
    Boolean,
  );
  const detail =
    `${which} tensors differ, first ${first.name} by ${exponential(first.largest)}` +
    `${hint === undefined ? "" : `; ${hint}`}`;
  return { name, verdict: "fail", measured, tolerance: tolerance.said, detail };
}

interface Difference {
  /** Largest absolute difference; infinite where one of two is not finite. */
  readonly largest: number;
  /** The same as a share of the largest value. */
  readonly share: number;
  /** First place that is not within the tolerance. */
  readonly first: number | undefined;
}

function compare(ours: Float32Array, theirs: Float32Array, share: number): Difference {
  let largestValue = 0;
  for (const value of ours) if (Number.isFinite(value)) largestValue = Math.max(largestValue, Math.abs(value));
  let largest = 0;
  let first: number | undefined;
  for (let at = 0; at < ours.length; at++) {
    if (Object.is(ours[at], theirs[at])) continue;
    const apart = Math.abs(ours[at] - theirs[at]);
    const difference = Number.isNaN(apart) ? Number.POSITIVE_INFINITY : apart;
    largest = Math.max(largest, difference);
    if (difference > share * largestValue) first ??= at;
  }
  return { largest, share: largestValue === 0 ? largest : largest / largestValue, first };
}

function stepOf(sample: number, batchSizes: readonly number[]): number {
  let end = 0;
  return batchSizes.findIndex((size) => {
    end += size;
    return sample < end;
  });
}

const eachTensor = ({ tensors }: Weights) => {
  let end = 0;
  return tensors.map(({ name, shape }) => {
    const start = end;
    end += shape.reduce((product, size) => product * size, 1);
    return { name, start, end };
  });
};

const onlyBiases = (different: readonly { readonly name: string }[], count: number): string | undefined =>
  different.length < count && different.every(({ name }) => name.endsWith("bias")) ? "only biases do" : undefined;

/** What ties the loop's updates to ours, where it is one number all over: a loss averaged over another denominator. */
function multiple(
  initial: Weights,
  ours: Weights,
  theirs: Float32Array,
  different: readonly { readonly start: number; readonly end: number }[],
): string | undefined {
  const ratios = different.map(({ start, end }) => {
    let [both, own] = [0, 0];
    for (let at = start; at < end; at++) {
      const update = ours.values[at] - initial.values[at];
      both += update * (theirs[at] - initial.values[at]);
      own += update * update;
    }
    return both / own;
  });
  const mean = ratios.reduce((sum, ratio) => sum + ratio, 0) / ratios.length;
  const apart = Math.max(...ratios.map((ratio) => Math.abs(ratio - mean)));
  if (!(apart < SHARE_OF_DEVIATION * Math.abs(mean - 1))) return undefined;
  return `its updates are about ${mean.toFixed(3)} of those here, in each of them: is the loss averaged over another denominator?`;
}

/** Weight decay has no part in the denominator, so the ratios are not quite one number. */
const SHARE_OF_DEVIATION = 0.25;

const exponential = (value: number): string => (Number.isFinite(value) ? value.toExponential(1) : String(value));
