/**
 * Whole batches of one class.
 *
 * Choose it to ask what a batch without variety does. It mixes up three things that separate arms should take
 * apart: purity within a batch, the sequence of the batches (`batches`), and BatchNorm, whose running statistics
 * follow the last classes seen. It costs a counting sort and a shuffle. From the 2019 study, whose code went class
 * by class and gathered the leftovers into mixed batches; both are the defaults here.
 *
 * With batch sizes that change, each batch asks for its size first and then for a class that can fill it. A class
 * that cannot is passed over: for good when the batches go by class, for this batch when they are shuffled. When no
 * class can, what is left is leftovers.
 */
import { z } from "zod";
import { groupByClass } from "../../kernels/classes.js";
import type { Random } from "../../kernels/random.js";
import { shuffle } from "../../kernels/shuffle.js";
import { cut, defineOrder } from "../contract.js";

export default defineOrder({
  name: "homogeneous",
  summary: "Whole batches of one class; samples reshuffled within each class in every epoch.",
  whenToChoose:
    "What does a batch without variety do? Mind BatchNorm, whose statistics follow the last classes seen. Costs a counting sort and a shuffle. From the 2019 study.",
  options: z.strictObject({
    batches: z
      .enum(["by-class", "shuffled"])
      .default("by-class")
      .describe("sequence of the batches; by-class: all of class 0, then all of class 1, …; shuffled: at random"),
    leftovers: z
      .enum(["mixed", "short"])
      .default("mixed")
      .describe(
        "what is left of each class, too few for a batch; mixed: all together in mixed batches at the end; short: a short batch of each class",
      ),
  }),
  coverage: () => "each-once",
  readsLedger: false,
  changesEachEpoch: () => true,
  dependsOnSeed: () => true,

  order(context) {
    const { classCount, size } = context;
    const { batches, leftovers } = context.options;
    const random = context.random("order");

    const { indices: samples, offsets: classStart } = groupByClass(context.eligible, context.labels, classCount);
    const next = classStart.slice(0, classCount); // the first sample of each class that is not used yet
    const left = new Uint32Array(classCount);
    for (let c = 0; c < classCount; c++) {
      shuffle(samples, random, classStart[c], classStart[c + 1]);
      left[c] = classStart[c + 1] - classStart[c];
    }

    const round = leftovers === "mixed" ? Math.floor : Math.ceil;
    const indices = new Uint32Array(samples.length);
    const offsets = [0];
    let filled = 0;
    let chosen = 0;
    while (filled < indices.length) {
      const k = size(offsets.length - 1);
      chosen =
        batches === "by-class"
          ? firstWithBatch(left, (rest) => round(rest / k), chosen)
          : drawByBatches(left, (rest) => round(rest / k), random);
      if (chosen === classCount) break;
      const take = Math.min(k, left[chosen]);
      indices.set(samples.subarray(next[chosen], next[chosen] + take), filled);
      next[chosen] += take;
      left[chosen] -= take;
      filled += take;
      offsets.push(filled);
    }

    const pure = filled;
    for (let c = 0; c < classCount; c++) {
      indices.set(samples.subarray(next[c], classStart[c + 1]), filled);
      filled += left[c];
    }
    shuffle(indices, random, pure, filled);
    const done = offsets.length - 1;
    for (const end of cut(filled - pure, (batch) => size(done + batch)).subarray(1)) offsets.push(pure + end);
    return { indices, offsets: Uint32Array.from(offsets) };
  },
});

/** Batches that the rest of a class still gives. */
type BatchesOf = (rest: number) => number;

/** The first class from `from` on that still gives a batch; the number of classes when none does. */
function firstWithBatch(left: Uint32Array, batchesOf: BatchesOf, from: number): number {
  let c = from;
  while (c < left.length && batchesOf(left[c]) === 0) c++;
  return c;
}

/** A class at random, each as likely as it has batches left; the number of classes when none has. */
function drawByBatches(left: Uint32Array, batchesOf: BatchesOf, random: Random): number {
  let total = 0;
  for (const rest of left) total += batchesOf(rest);
  if (total === 0) return left.length;
  let place = random.below(total);
  for (let c = 0; ; c++) {
    place -= batchesOf(left[c]);
    if (place < 0) return c;
  }
}
