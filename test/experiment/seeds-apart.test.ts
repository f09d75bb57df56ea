import { describe, expect, test } from "vitest";
import type { FixedSeeds } from "../../src/config/run-seeds.js";
import { conditionsOf } from "../../src/results/conditions.js";
import type { PlannedArm } from "../../src/results/planned-experiment.js";
import { Scene } from "./scene.js";

async function runsWith(seeds: string, more: readonly string[] = []) {
  const scene = new Scene();
  const { client, results } = await scene.run({ settings: [`seeds=${seeds}`, "arms={a: {order: shuffled}}", ...more] });
  const orders = results.map(({ seed }) => scene.words(`a/seed-${seed}/orders/0001.u32`).join());
  const opened = client.sentOf("open").map(({ fields: { seed, modelSeed } }) => ({ seed, modelSeed }));
  return { scene, opened, orders, documents: results.map(({ seed }) => scene.document("a", seed)) };
}

describe("seeds apart", () => {
  test("nothing fixed: what is sent and ordered is as with a number of seeds, and on record", async () => {
    const apart = await runsWith("{ count: 2 }");
    const plain = await runsWith("2");
    expect(apart.opened).toEqual([0, 1].map((seed) => ({ seed, modelSeed: null })));
    expect([apart.opened, apart.orders]).toEqual([plain.opened, plain.orders]);
    expect(apart.documents[1]).toMatchObject({ seed: 1, seeds: { model: 1, order: 1, noise: 1 } });
  });

  test("the initial weights alone are the same", async () => {
    const { opened, orders, documents } = await runsWith("{ count: [1, 2], model: 7 }");
    expect(opened).toEqual([1, 2].map((seed) => ({ seed, modelSeed: 7 })));
    expect(orders).toEqual((await runsWith("[1, 2]")).orders);
    expect(documents[0]).toMatchObject({ seed: 1, seeds: { model: 7, order: 1, noise: 1 } });
  });

  test("the orders alone are the same: those of that seed", async () => {
    const { opened, orders } = await runsWith("{ count: [1, 2], order: 7 }");
    const [seven] = (await runsWith("[7]")).orders;
    expect(opened).toEqual([1, 2].map((seed) => ({ seed, modelSeed: null })));
    expect(orders).toEqual([seven, seven]);
  });

  test("the noise alone is the same", async () => {
    const { opened, orders } = await runsWith("{ count: [1, 2], noise: 7 }");
    expect(opened).toEqual([1, 2].map((modelSeed) => ({ seed: 7, modelSeed })));
    expect(orders).toEqual((await runsWith("[1, 2]")).orders);
  });

  test("orders in common are decided for the run's own batches as for those of the seed that they have", async () => {
    const each = ["arms={a: {order: {name: weighted, per: batch}}}"];
    const { orders } = await runsWith("{ count: [1, 2], order: 7, model: 7 }", each);
    expect(orders[0]).toBe((await runsWith("[7]", each)).orders[0]);
  });

  test("a run directory of other fixed seeds is refused", async () => {
    const { scene } = await runsWith("{ count: 2, model: 7 }");
    const other = scene.run({ settings: ["seeds={ count: 2, model: 8 }", "arms={a: {order: shuffled}}"] });
    await expect(other).rejects.toThrow("seeds.model: 7 there, 8 here");
  });
});

test("each seed trains on a subset of its own where that is asked for", async () => {
  const trainedOn = async (more: readonly string[]) => {
    const { orders } = await runsWith("2", ["dataset.subset=12", ...more]);
    return orders.map((order) =>
      order
        .split(",")
        .map(Number)
        .sort((a, b) => a - b),
    );
  };
  const [same, alike] = await trainedOn([]);
  expect(alike).toEqual(same);
  const [first, second] = await trainedOn(["dataset.subsetSeed=run"]);
  expect(first).toEqual(same); // seed 0 has the subset of all seeds
  expect(second).toHaveLength(12);
  expect(second).not.toEqual(first);
});

test("the table says which samples were the same for all seeds", () => {
  const order = { changesObjective: false };
  const noted = (fixedSeeds: FixedSeeds | undefined, ...datasets: (PlannedArm["dataset"] | undefined)[]) => {
    const arms = Object.fromEntries(datasets.map((dataset, at) => [`arm ${at}`, { epochs: 1, order, dataset }]));
    return conditionsOf({ seeds: [0, 1], fixedSeeds, arms });
  };
  expect(noted(undefined, undefined, { subset: null })).toEqual([]);
  expect(noted(undefined, { subset: 1000 }, { subset: 1000 })).toEqual([
    "Every seed trains on the same subset of 1,000 samples: intervals and p say nothing about other samples",
  ]);
  expect(noted(undefined, { subset: 1000 }, undefined)).toEqual([
    "Of arm 0 every seed trains on the same subset of 1,000 samples: intervals and p say nothing about other samples",
  ]);
  const own = { subset: 1000, subsetSeed: "run" };
  expect(noted(undefined, own)).toEqual([
    "Each seed trains on a subset of its own, of 1,000 samples, so intervals and p are over samples, too",
  ]);
  const ofSome =
    "Of arm 0 each seed trains on a subset of its own, of 1,000 samples, so intervals and p are over samples, too; the " +
    "other arms have the same samples for all seeds";
  expect(noted(undefined, own, { subset: 500 })).toEqual([ofSome]);
  expect(noted(undefined, own, { subset: null }), "which has all samples").toEqual([ofSome]);
  expect(noted(undefined, own, { ...own, subset: 500 }, undefined)[0]).toMatch(
    /^Of arm 0, arm 1 each seed trains on a subset of its own, of 1,000 or 500 samples, /,
  );
  expect(conditionsOf({ seeds: [0], arms: {}, fixedSeeds: { model: 0 } })).toEqual([]);
});

test("the table says which random numbers were the same and which were drawn anew", () => {
  const noted = (fixedSeeds: FixedSeeds, dataset?: PlannedArm["dataset"]) =>
    conditionsOf({
      seeds: [0, 1],
      fixedSeeds,
      arms: { a: { epochs: 1, order: { changesObjective: false }, dataset } },
    });
  expect(noted({ model: 0 })).toEqual([
    "Every run has the initial weights of seed 0: over seeds orders and noise (dropout, augmentation) alone are drawn anew, " +
      "and intervals and p say nothing about other initial weights",
  ]);
  expect(noted({ model: 0, noise: 3 })[0]).toContain("over seeds orders alone are drawn anew");
  expect(noted({ order: 0 })[0], "orders that read losses differ all the same").toBe(
    "Every run has the random numbers of orders of seed 0: over seeds initial weights and noise (dropout, augmentation) alone " +
      "are drawn anew, and intervals and p say nothing about other random numbers of orders",
  );
  expect(noted({ model: 0 }, { subset: 10, subsetSeed: "run" })[0]).toContain(
    "over seeds orders, noise (dropout, augmentation) and subsets alone are drawn anew",
  );
});
