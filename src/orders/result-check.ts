/** What holds of every order's result, whatever the order: the conformance suite and each epoch of a run check it. */
import { nearest } from "../nearest.js";
import type { Coverage, OrderResult } from "./contract.js";

export type ResultLaw =
  | "the result has the right types"
  | "the result has no other members"
  | "there is at least one sample"
  | "indices are eligible"
  | "each sample comes as often as declared"
  | "offsets are well-formed"
  | "no batch is larger than asked for"
  | "a batch is as large as asked for"
  | "all batches of an epoch have weights, or none"
  | "what is drawn is untouched"
  | "candidates are a Uint32Array"
  | "candidates are eligible"
  | "each candidate comes once"
  | "there are as many candidates as the batch holds"
  | "candidates are as many as declared"
  | "candidates are a function of their place"
  | "the pool is untouched"
  | "weights are finite and positive"
  | "inclusion is a probability above 0"
  | "probabilities sum to 1"
  | "an effective size is at least 1";

/** A law that a result breaks: what was seen, what was expected. */
export interface ResultFault {
  readonly law: ResultLaw;
  readonly seen: string;
  readonly expected: string;
}

/** What the result is held to. */
export interface ResultBounds {
  /** Samples in the dataset. */
  readonly n: number;
  readonly eligible: Readonly<Uint32Array>;
  readonly coverage: Coverage;
  /** Size that was asked for of the b-th batch; any size will do when left out. */
  readonly size?: (batch: number) => number;
}

/** The faults of a result, at most one a law; in time that grows with n alone. */
export function resultFaults(result: OrderResult, bounds: ResultBounds): readonly ResultFault[] {
  const wrongType = typeFault(result);
  if (wrongType !== undefined) return [wrongType];
  const faults = [indexFault(result, bounds), offsetFault(result) ?? sizeFault(result, bounds)];
  return [...faults.filter((fault) => fault !== undefined), ...valueFaults(result, bounds)];
}

/** The faults of what stands beside the indices; in time that grows with what is there. */
export function valueFaults(result: OrderResult, bounds: Pick<ResultBounds, "eligible">): readonly ResultFault[] {
  const faults = [
    weightFault(result),
    inclusionFault(result),
    probabilitiesFault(result, bounds),
    effectiveSizeFault(result, bounds),
  ];
  return faults.filter((fault) => fault !== undefined);
}

/** What is wrong with a result's members and their types, before anything is read of its arrays; in a time that no n changes. */
export function typeFault(result: OrderResult): ResultFault | undefined {
  const law = "the result has the right types";
  if (typeof result !== "object" || result === null || isList(result) || result instanceof Promise) {
    if (result instanceof Promise) result.catch(() => {}); // should it fail, nobody waits for it
    return { law, seen: described(result), expected: "{ indices, offsets }, returned at once" };
  }
  const unknown = Object.keys(result).find((name) => !MEMBERS.includes(name));
  if (unknown !== undefined) return unknownMember(unknown);
  const size: unknown = result.effectiveDataSize;
  const wrong = [
    ...wrongArrays(result),
    ...(size === undefined || typeof size === "number"
      ? []
      : [{ name: "effectiveDataSize", seen: described(size), expected: "number" }]),
  ];
  if (wrong.length === 0) return undefined;
  return {
    law,
    seen: wrong.map(({ name, seen }) => `${name}: ${seen}`).join(", "),
    expected: wrong.map(({ name, expected }) => `${name}: a ${expected}`).join(", "),
  };
}

/** Its keys are its places: as many as it is long. */
const isList = (value: object): boolean => Array.isArray(value) || ArrayBuffer.isView(value);

/** The arrays of a result, with their types. */
export const ARRAYS = {
  indices: Uint32Array,
  offsets: Uint32Array,
  weights: Float32Array,
  inclusion: Float64Array,
  probabilities: Float64Array,
} as const;
const OPTIONAL: readonly string[] = ["weights", "inclusion", "probabilities"];

const MEMBERS: readonly string[] = [...Object.keys(ARRAYS), "effectiveDataSize"];

/** One that is written wrong would be left out without a word. */
const unknownMember = (name: string): ResultFault => ({
  law: "the result has no other members",
  seen: `\`${name}\``,
  expected: `some of ${MEMBERS.join(", ")}${meant(name, MEMBERS)}`,
});

/** "; did you mean …?", where one of the known names is near. */
export function meant(name: string, known: readonly string[]): string {
  const near = nearest(name, known);
  return near === undefined ? "" : `; did you mean \`${near}\`?`;
}

function wrongArrays(result: OrderResult): { name: string; seen: string; expected: string }[] {
  return Object.entries(ARRAYS).flatMap(([name, type]) => {
    const array: unknown = Reflect.get(result, name);
    if (array === undefined && OPTIONAL.includes(name)) return [];
    if (!(array instanceof type)) return [{ name, seen: described(array), expected: type.name }];
    if (!isDetached(array)) return [];
    return [{ name, seen: "detached, its memory was transferred away", expected: type.name }];
  });
}

/** What a value is, for a person: its kind, and of what has a length that, too. */
export function described(value: unknown): string {
  if (value === undefined || value === null) return String(value);
  if (typeof value !== "object") return `a ${typeof value}`;
  if (Array.isArray(value)) return `an Array of ${value.length}`;
  const kind = Object.prototype.toString.call(value).slice("[object ".length, -1);
  const article = /^[AEIO]/.test(kind) ? "an" : "a";
  return `${article} ${kind}${ArrayBuffer.isView(value) && "length" in value ? ` of ${value.length}` : ""}`;
}

/** Node 20 has no `ArrayBuffer.prototype.detached`: nothing can be made over a buffer that is. */
function isDetached({ buffer }: ArrayBufferView): boolean {
  try {
    new Uint8Array(buffer);
    return false;
  } catch {
    return true;
  }
}

const NOT_ELIGIBLE = -1;

function indexFault({ indices }: OrderResult, { n, eligible, coverage }: ResultBounds): ResultFault | undefined {
  const times = new Int32Array(n).fill(NOT_ELIGIBLE);
  for (const index of eligible) times[index] = 0;
  for (const index of indices) {
    if (index >= n || times[index] === NOT_ELIGIBLE) {
      const seen = index < n ? `${index}, which is not eligible` : `${index} of ${n}`;
      return { law: "indices are eligible", seen, expected: `some of the ${eligible.length} eligible indices` };
    }
    times[index] += 1;
  }
  const often = coverageFault(times, eligible, coverage);
  if (often !== undefined || indices.length > 0) return often;
  return { law: "there is at least one sample", seen: "none", expected: `some of the ${eligible.length}` };
}

function coverageFault(
  times: Int32Array,
  eligible: Readonly<Uint32Array>,
  coverage: Coverage,
): ResultFault | undefined {
  if (coverage === "any") return undefined;
  const law = "each sample comes as often as declared";
  const repeated = eligible.find((index) => times[index] > 1);
  if (repeated !== undefined) {
    const often = times[repeated] === 2 ? "twice" : `${times[repeated]} times`;
    return { law, seen: `sample ${repeated} ${often}`, expected: coverage };
  }
  if (coverage === "at-most-once") return undefined;
  const missing = eligible.filter((index) => times[index] === 0);
  if (missing.length === 0) return undefined;
  const seen =
    missing.length === 1
      ? `sample ${missing[0]} missing`
      : `${missing.length} of ${eligible.length} missing, the first is ${missing[0]}`;
  return { law, seen, expected: coverage };
}

function offsetFault({ indices, offsets }: OrderResult): ResultFault | undefined {
  const law = "offsets are well-formed";
  if (offsets[0] !== 0 || offsets[offsets.length - 1] !== indices.length) {
    const seen = offsets.length === 0 ? "none" : `${offsets[0]} … ${offsets[offsets.length - 1]}`;
    return { law, seen, expected: `0 … ${indices.length}` };
  }
  for (let b = 0; b + 1 < offsets.length; b++) {
    if (offsets[b] >= offsets[b + 1]) {
      return { law, seen: `${offsets[b]}, ${offsets[b + 1]} for batch ${b}`, expected: "rising offsets" };
    }
  }
  return undefined;
}

/** Of a result whose offsets are well-formed. */
function sizeFault({ offsets }: OrderResult, { size }: ResultBounds): ResultFault | undefined {
  if (size === undefined) return undefined;
  for (let b = 0; b + 1 < offsets.length; b++) {
    const taken = offsets[b + 1] - offsets[b];
    const asked = size(b);
    if (taken <= asked) continue;
    const law = "no batch is larger than asked for";
    return { law, seen: `${taken} samples in batch ${b}`, expected: `at most ${asked}` };
  }
  return undefined;
}

function weightFault({ indices, weights }: OrderResult): ResultFault | undefined {
  const wrong = weights?.findIndex((weight) => !(weight > 0 && weight < Number.POSITIVE_INFINITY)) ?? -1;
  if (weights === undefined || (weights.length === indices.length && wrong === -1)) return undefined;
  const seen = wrong === -1 ? `${weights.length} weights` : `${weights[wrong]} at place ${wrong}`;
  return { law: "weights are finite and positive", seen, expected: `${indices.length} positive numbers` };
}

function inclusionFault({ indices, inclusion }: OrderResult): ResultFault | undefined {
  const wrong = inclusion?.findIndex((q) => !(q > 0 && q <= 1)) ?? -1;
  if (inclusion === undefined || (inclusion.length === indices.length && wrong === -1)) return undefined;
  const seen = wrong === -1 ? `${inclusion.length} of them` : `${inclusion[wrong]} at place ${wrong}`;
  return { law: "inclusion is a probability above 0", seen, expected: `${indices.length} numbers in (0, 1]` };
}

/** So far from 1 may the sum be: what float32 weights leave. */
const SUM_TOLERANCE = 1e-6;

function probabilitiesFault(
  { probabilities }: OrderResult,
  { eligible }: Pick<ResultBounds, "eligible">,
): ResultFault | undefined {
  if (probabilities === undefined) return undefined;
  const law = "probabilities sum to 1";
  if (probabilities.length !== eligible.length) {
    return {
      law,
      seen: `${probabilities.length} of them`,
      expected: `one for each of ${eligible.length} eligible samples`,
    };
  }
  let sum = 0;
  for (let i = 0; i < probabilities.length; i++) {
    if (!(probabilities[i] >= 0)) return { law, seen: `${probabilities[i]} at place ${i}`, expected: "at least 0" };
    sum += probabilities[i];
  }
  if (Math.abs(sum - 1) <= SUM_TOLERANCE) return undefined;
  return { law, seen: `a sum of ${sum}`, expected: "1" };
}

/** So much more than all samples may rounding make of it. */
const SIZE_TOLERANCE = 1 + 1e-6;

function effectiveSizeFault(
  { effectiveDataSize }: OrderResult,
  { eligible }: Pick<ResultBounds, "eligible">,
): ResultFault | undefined {
  if (effectiveDataSize === undefined) return undefined;
  if (effectiveDataSize >= 1 / SIZE_TOLERANCE && effectiveDataSize <= eligible.length * SIZE_TOLERANCE)
    return undefined;
  const expected = `1 … ${eligible.length}, as 1 / Σp² of probabilities`;
  return { law: "an effective size is at least 1", seen: String(effectiveDataSize), expected };
}
