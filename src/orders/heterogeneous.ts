/**
 * Each batch as balanced over the classes as the counts allow.
 *
 * Choose it to ask what less variance in a batch's composition is worth. `balanced` gives each batch floor or ceil
 * of every class's share of what remains, so with unequal classes batches mirror the whole set from first to last;
 * which classes get the ceil is drawn for each batch, and the samples of a batch are shuffled among themselves, so
 * that a micro-batch is no stranger than any part of it. It costs a counting sort, two shuffles and a pass over the
 * classes for each batch. `round-robin` takes one of each class in turn: equal numbers of each class while they
 * last, and with unequal classes a tail of the large ones alone. From the 2019 study, whose code is `round-robin`.
 */
import { z } from "zod";
import { type Grouped, groupByClass } from "../kernels/classes.js";
import { interleave } from "../kernels/interleave.js";
import type { Random } from "../kernels/random.js";
import { proportionalShares } from "../kernels/shares.js";
import { shuffle } from "../kernels/shuffle.js";
import { cut, defineOrder, type OrderResult } from "./contract.js";

export default defineOrder({
  name: "heterogeneous",
  summary: "Every batch balanced over the classes; samples reshuffled within each class in every epoch.",
  whenToChoose: "What is a steadier mix of classes worth? Costs a counting sort and two shuffles. From the 2019 study.",
  options: z.strictObject({
    interleave: z
      .enum(["balanced", "round-robin"])
      .default("balanced")
      .describe(
        "balanced: each batch holds each class's share of what remains; round-robin: one of each class in turn, the tail holds only large classes",
      ),
  }),
  coverage: "each-once",
  readsLedger: false,
  changesEachEpoch: () => true,
  dependsOnSeed: () => true,

  order(context) {
    const { classCount, size } = context;
    const random = context.random("order");
    const grouped = groupByClass(context.eligible, context.labels, classCount);
    for (let c = 0; c < classCount; c++) {
      shuffle(grouped.indices, random, grouped.offsets[c], grouped.offsets[c + 1]);
    }
    if (context.options.interleave === "balanced") return balanced(grouped, size, random);
    const indices = interleave(grouped);
    return { indices, offsets: cut(indices.length, size) };
  },
});

function balanced(grouped: Grouped, size: (batch: number) => number, random: Random): OrderResult {
  const samples = grouped.indices;
  const classCount = grouped.offsets.length - 1;
  const next = grouped.offsets.slice(0, classCount); // the first sample of each class that is not used yet
  const left = new Uint32Array(classCount);
  const sequence = new Uint32Array(classCount);
  for (let c = 0; c < classCount; c++) {
    left[c] = grouped.offsets[c + 1] - grouped.offsets[c];
    sequence[c] = c;
  }
  const shares = new Uint32Array(classCount);

  const indices = new Uint32Array(samples.length);
  const offsets = cut(samples.length, size);
  for (let b = 0; b + 1 < offsets.length; b++) {
    const start = offsets[b];
    const end = offsets[b + 1];
    shuffle(sequence, random);
    proportionalShares(left, sequence, end - start, random.below(samples.length - start), shares);
    let filled = start;
    for (let c = 0; c < classCount; c++) {
      for (let i = 0; i < shares[c]; i++) indices[filled++] = samples[next[c]++];
      left[c] -= shares[c];
    }
    shuffle(indices, random, start, end);
  }
  return { indices, offsets };
}
