import fc from "fast-check";
import { expect, test } from "vitest";
import { PlanSource } from "../../src/training/batch-source.js";
import type { Chunk, Plan } from "../../src/training/plan.js";
import { plannedAs } from "./planned.js";

/** A plan of batches of these sizes, from 1 on; weighted or not. */
function planOf(sizes: readonly number[], weighted: boolean): Plan {
  const offsets = [0];
  for (const size of sizes) offsets.push(offsets[offsets.length - 1] + size);
  const count = offsets[offsets.length - 1];
  return {
    indices: Uint32Array.from({ length: count }, (_, at) => (at * 7919) % 1000),
    offsets: Uint32Array.from(offsets),
    learningRates: Float64Array.from(sizes, (_, batch) => 0.1 + batch / 3),
    weights: weighted ? Float32Array.from({ length: count }, (_, at) => at / 2) : undefined,
  };
}

/** All that a source of this plan hands out. */
async function chunks(plan: Plan, firstStep: number, chunkBatches: number): Promise<Chunk[]> {
  const source = new PlanSource(plannedAs(plan), { firstStep, step: firstStep });
  const all: Chunk[] = [];
  for (let chunk = await source.next(chunkBatches); chunk !== undefined; chunk = await source.next(chunkBatches)) {
    all.push(chunk);
  }
  return all;
}

const batchSizes = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 40 });

test("whatever the chunk size, the chunks one after another are the plan, batch by batch", async () => {
  await fc.assert(
    fc.asyncProperty(
      batchSizes,
      fc.boolean(),
      fc.integer({ min: 1, max: 50 }),
      fc.nat(1e6),
      async (sizes, weighted, chunkBatches, firstStep) => {
        const plan = planOf(sizes, weighted);
        const batches = [...(await chunks(plan, firstStep, chunkBatches))].flatMap((chunk) =>
          [...chunk.learningRates].map((rate, batch) => ({
            step: chunk.firstStep + batch,
            rate,
            indices: [...chunk.indices.subarray(chunk.offsets[batch], chunk.offsets[batch + 1])],
            weights: chunk.weights && [...chunk.weights.subarray(chunk.offsets[batch], chunk.offsets[batch + 1])],
          })),
        );
        expect(batches).toEqual(
          sizes.map((_, batch) => ({
            step: firstStep + batch,
            rate: plan.learningRates[batch],
            indices: [...plan.indices.subarray(plan.offsets[batch], plan.offsets[batch + 1])],
            weights: plan.weights && [...plan.weights.subarray(plan.offsets[batch], plan.offsets[batch + 1])],
          })),
        );
      },
    ),
  );
});

test("every chunk but the last has chunkBatches batches, and each one's offsets start at 0 and end at its length", async () => {
  await fc.assert(
    fc.asyncProperty(batchSizes, fc.integer({ min: 1, max: 50 }), async (sizes, chunkBatches) => {
      const all = [...(await chunks(planOf(sizes, false), 0, chunkBatches))];
      expect(all).toHaveLength(Math.ceil(sizes.length / chunkBatches));
      for (const [at, { offsets, indices, learningRates }] of all.entries()) {
        const last = at === all.length - 1;
        expect(learningRates).toHaveLength(last ? sizes.length - at * chunkBatches : chunkBatches);
        expect(offsets).toHaveLength(learningRates.length + 1);
        expect([offsets[0], offsets[offsets.length - 1]]).toEqual([0, indices.length]);
      }
    }),
  );
});

test("11 samples in batches of 3, two batches a chunk, from step 40 on", async () => {
  const plan = planOf([3, 3, 3, 2], true);
  expect(await chunks(plan, 40, 2)).toEqual([
    {
      firstStep: 40,
      indices: plan.indices.slice(0, 6),
      offsets: Uint32Array.of(0, 3, 6),
      learningRates: plan.learningRates.slice(0, 2),
      weights: plan.weights?.slice(0, 6),
    },
    {
      firstStep: 42,
      indices: plan.indices.slice(6, 11),
      offsets: Uint32Array.of(0, 3, 5),
      learningRates: plan.learningRates.slice(2, 4),
      weights: plan.weights?.slice(6, 11),
    },
  ]);
});

test("indices, rates and weights are views into the plan: nothing is copied", async () => {
  const plan = planOf([3, 3, 3, 2], true);
  for (const chunk of await chunks(plan, 0, 1)) {
    expect(chunk.indices.buffer).toBe(plan.indices.buffer);
    expect(chunk.learningRates.buffer).toBe(plan.learningRates.buffer);
    expect(chunk.weights?.buffer).toBe(plan.weights?.buffer);
  }
});
