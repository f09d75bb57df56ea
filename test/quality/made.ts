import { random } from "../../src/kernels/random.js";
import { shuffled } from "../../src/kernels/shuffle.js";
import { cut } from "../../src/orders/contract.js";
import type { Sequences } from "../../src/quality/sequences.js";

export const N = 1000;
export const SIZE = 32;

export const upTo = (count: number, from = 0): Uint32Array => Uint32Array.from({ length: count }, (_, at) => from + at);

/** A uniform shuffle, another one for each seed and epoch. */
export const uniform = (seed: number, epoch: number, values = upTo(N)): Uint32Array =>
  shuffled(values, random(seed, "order", epoch));

export const joined = (...parts: readonly ArrayLike<number>[]): Uint32Array =>
  Uint32Array.from(parts.flatMap((part) => Array.from(part)));

/** As from the place `by` on, and then from the beginning. */
export const turned = (values: Uint32Array, by: number): Uint32Array => joined(values.slice(by), values.slice(0, by));

/** By seed and epoch. */
export function sequencesOf(
  bySeed: readonly (readonly Uint32Array[])[],
  { n = N, size = SIZE, labels }: { readonly n?: number; readonly size?: number; readonly labels?: Uint32Array } = {},
): Sequences {
  const all = bySeed.flatMap((epochs, seed) =>
    epochs.map((indices, epoch) => ({ seed, epoch, indices, offsets: cut(indices.length, () => size) })),
  );
  return { n: labels?.length ?? n, all, labels };
}

/** Two seeds of two epochs each, made by a rule. */
export const madeBy = (rule: (seed: number, epoch: number) => Uint32Array): Sequences =>
  sequencesOf([0, 1].map((seed) => [0, 1].map((epoch) => rule(seed, epoch))));
