// How many of the samples of the second half-epoch were not in the first: what controls of `weighted` must match.
import { join } from "node:path";
import { expect, test } from "vitest";
import { Scene } from "./scene.js";

/** Of the second epoch, the share that the first one had not drawn. */
function firstSeen(scene: Scene, arm: string): number {
  const [first, second] = [0, 1].map((epoch) => scene.words(`${arm}/seed-0/orders/000${epoch}.u32`));
  const drawn = new Set(first);
  return second.filter((sample) => !drawn.has(sample)).length / second.length;
}

async function trained(orders: Readonly<Record<string, string>>): Promise<Scene> {
  const scene = new Scene();
  const arms = Object.entries(orders).map(([arm, order]) => `${arm}: { order: ${order} }`);
  const { results } = await scene.run({
    settings: [`arms={ ${arms.join(", ")} }`, "seeds=1", "epochs=2", "batching.size=50"],
    pretence: { n: 2000, loss: (index) => 0.1 + (index % 97) ** 2 / 1000 },
  });
  expect(results.map(({ state }) => state)).toEqual(arms.map(() => "done"));
  return scene;
}

const ARMS = {
  weighted: "{ name: weighted, fraction: 0.5 }",
  seen: "{ name: weighted, fraction: 0.5, placebo: seen }",
  permuted: "{ name: weighted, fraction: 0.5, placebo: true }",
  half: "{ name: random-subset, fraction: 0.5 }",
  cover: "{ name: random-subset, fraction: 0.5, redraw: cover }",
};

test("of a second half-epoch by loss most was never seen, as with placebo: seen; of a random half, half; of the other half of a shuffle, all", async () => {
  const scene = await trained(ARMS);
  const share = (arm: keyof typeof ARMS) => firstSeen(scene, arm);
  expect(share("weighted")).toBeGreaterThan(0.6);
  expect(Math.abs(share("seen") - share("weighted"))).toBeLessThan(0.05);
  expect(Math.abs(share("half") - 0.5)).toBeLessThan(0.05);
  expect(Math.abs(share("permuted") - 0.5)).toBeLessThan(0.05);
  expect(share("cover")).toBe(1);
});

test("selective-backprop by stale losses first takes what it never saw, as a replay of it does; after a scoring pass it does not, nor does its placebo", async () => {
  const stale = "name: selective-backprop, losses: stale";
  const scene = await trained({
    stale: `{ ${stale} }`,
    scored: `{ ${stale}, signal: rescore }`,
    placebo: `{ ${stale}, signal: rescore, placebo: true }`,
  });
  expect(firstSeen(scene, "stale")).toBeGreaterThan(0.6);
  expect(Math.abs(firstSeen(scene, "scored") - 0.5)).toBeLessThan(0.06);
  expect(Math.abs(firstSeen(scene, "placebo") - firstSeen(scene, "scored"))).toBeLessThan(0.06);
  const replay = await trained({ control: `{ replay: "${join(scene.directory, "stale")}", exchange: samples }` });
  expect(firstSeen(replay, "control")).toBe(firstSeen(scene, "stale"));
  expect(replay.words("control/seed-0/orders/0000.u32")).not.toEqual(scene.words("stale/seed-0/orders/0000.u32"));
});
