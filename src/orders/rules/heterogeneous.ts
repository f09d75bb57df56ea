/**
 * Each batch as balanced over the classes as the counts allow.
 *
 * Choose it to ask what less variance in a batch's composition is worth. `balanced` deals the samples of each class
 * like cards to all batches of one size, so that those batches differ by at most one in every class and mirror the
 * whole set from first to last, however unequal the classes. Which batches get the one more is left to chance; the
 * samples of a batch are shuffled among themselves, so that a micro-batch is no stranger than any part of it.
 * `round-robin` takes one of each class in turn: equal numbers of each class while they last, and with unequal
 * classes a tail of the large ones alone. Either costs a counting sort and one or two shuffles. From the 2019 study,
 * whose code is `round-robin`.
 */
import { z } from "zod";
import { type Grouped, groupByClass } from "../../kernels/classes.js";
import { interleave } from "../../kernels/interleave.js";
import type { Random } from "../../kernels/random.js";
import { proportionalShares } from "../../kernels/shares.js";
import { shuffle } from "../../kernels/shuffle.js";
import { cut, defineOrder } from "../contract.js";

export default defineOrder({
  name: "heterogeneous",
  summary: "Every batch balanced over the classes; samples reshuffled within each class in every epoch.",
  whenToChoose: "What is a steadier mix of classes worth? Costs a counting sort and two shuffles. From the 2019 study.",
  options: z.strictObject({
    interleave: z
      .enum(["balanced", "round-robin"])
      .default("balanced")
      .describe(
        "balanced: each batch holds each class's share of all samples; round-robin: one of each class in turn, the tail holds only large classes",
      ),
  }),
  coverage: () => "each-once",
  readsLedger: false,
  changesEachEpoch: () => true,
  dependsOnSeed: () => true,

  order(context) {
    const random = context.random("order");
    const grouped = groupByClass(context.eligible, context.labels, context.classCount);
    for (let c = 0; c < context.classCount; c++) {
      shuffle(grouped.indices, random, grouped.offsets[c], grouped.offsets[c + 1]);
    }
    const offsets = cut(grouped.indices.length, context.size);
    const isBalanced = context.options.interleave === "balanced";
    return { indices: isBalanced ? balanced(grouped, offsets, random) : interleave(grouped), offsets };
  },
});

/** The samples of each class, dealt to the batches between these offsets. */
function balanced(grouped: Grouped, offsets: Uint32Array, random: Random): Uint32Array {
  const samples = grouped.indices;
  const classCount = grouped.offsets.length - 1;
  const next = grouped.offsets.slice(0, classCount); // the first sample of each class that is not dealt yet
  const left = new Uint32Array(classCount);
  const sequence = new Uint32Array(classCount);
  for (let c = 0; c < classCount; c++) {
    left[c] = grouped.offsets[c + 1] - grouped.offsets[c];
    sequence[c] = c;
  }
  shuffle(sequence, random);

  const indices = new Uint32Array(samples.length);
  const free = offsets.slice(0, -1); // the first place of each batch that is not filled yet
  const shares = new Uint32Array(classCount);
  let remaining = samples.length;
  for (const [size, batches] of batchesBySize(offsets)) {
    // First what the batches of this size hold together, then one card after another to each in turn.
    proportionalShares(left, sequence, size * batches.length, random.below(remaining), shares);
    shuffle(batches, random);
    let turn = 0;
    for (const c of sequence) {
      for (let i = 0; i < shares[c]; i++) {
        indices[free[batches[turn]]++] = samples[next[c]++];
        turn = turn + 1 < batches.length ? turn + 1 : 0;
      }
      left[c] -= shares[c];
    }
    remaining -= size * batches.length;
  }
  for (let b = 0; b + 1 < offsets.length; b++) shuffle(indices, random, offsets[b], offsets[b + 1]);
  return indices;
}

/** The numbers of the batches of each size, the size that comes first being first. */
function batchesBySize(offsets: Uint32Array): Map<number, Uint32Array> {
  const bySize = new Map<number, number[]>();
  for (let b = 0; b + 1 < offsets.length; b++) {
    const size = offsets[b + 1] - offsets[b];
    const batches = bySize.get(size);
    if (batches === undefined) bySize.set(size, [b]);
    else batches.push(b);
  }
  return new Map([...bySize].map(([size, batches]) => [size, Uint32Array.from(batches)]));
}
