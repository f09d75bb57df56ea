// How many of the samples of the second half-epoch were not in the first: what controls of `weighted` must match.
import { expect, test } from "vitest";
import { Scene } from "./scene.js";

const ARMS = {
  weighted: "{ name: weighted, fraction: 0.5 }",
  seen: "{ name: weighted, fraction: 0.5, placebo: seen }",
  permuted: "{ name: weighted, fraction: 0.5, placebo: true }",
  half: "{ name: random-subset, fraction: 0.5 }",
  cover: "{ name: random-subset, fraction: 0.5, redraw: cover }",
};

test("of a second half-epoch by loss most was never seen, as with placebo: seen; of a random half, half; of the other half of a shuffle, all", async () => {
  const scene = new Scene();
  const arms = Object.entries(ARMS).map(([arm, order]) => `${arm}: { order: ${order} }`);
  await scene.run({
    settings: [`arms={ ${arms.join(", ")} }`, "seeds=1", "epochs=2", "batching.size=50"],
    pretence: { n: 2000, loss: (index) => 0.1 + (index % 97) ** 2 / 1000 },
  });
  const firstSeen = (arm: keyof typeof ARMS) => {
    const [first, second] = [0, 1].map((epoch) => scene.words(`${arm}/seed-0/orders/000${epoch}.u32`));
    const drawn = new Set(first);
    return second.filter((sample) => !drawn.has(sample)).length / second.length;
  };
  expect(firstSeen("weighted")).toBeGreaterThan(0.6);
  expect(Math.abs(firstSeen("seen") - firstSeen("weighted"))).toBeLessThan(0.05);
  expect(Math.abs(firstSeen("half") - 0.5)).toBeLessThan(0.05);
  expect(Math.abs(firstSeen("permuted") - 0.5)).toBeLessThan(0.05);
  expect(firstSeen("cover")).toBe(1);
});
