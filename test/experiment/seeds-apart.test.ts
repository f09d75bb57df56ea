import { describe, expect, test } from "vitest";
import { fixedSeedsNote } from "../../src/results/conditions.js";
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

test("the table says what was the same and what varied", () => {
  expect(fixedSeedsNote(undefined)).toBeUndefined();
  expect(fixedSeedsNote({ model: 0 })).toBe(
    "Every run has the initial weights of seed 0: over seeds orders and dropout and augmentation alone vary, and intervals " +
      "and p say nothing about other initial weights",
  );
  expect(fixedSeedsNote({ model: 0, noise: 3 })).toContain("over seeds orders alone vary");
});
