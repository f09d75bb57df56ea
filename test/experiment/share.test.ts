import { expect, test } from "vitest";
import { runsOf, shareOf } from "../../src/experiment/share.js";
import { resolved } from "./scene.js";

const config = (rest: string) =>
  resolved(`name: x
dataset: digits
model: mnist-cnn
optimizer: sgd
schedule: { name: constant, learningRate: 0.1 }
batching: { name: constant, size: 5 }
${rest}`);

const FOUR =
  "{ a: { order: frozen }, b: { order: shuffled }, c: { order: shuffled, epochs: 9 }, d: { order: frozen } }";

const sharesOf = async (text: string, count: number) => {
  const resolvedConfig = await config(text);
  return Array.from({ length: count }, (_, index) =>
    runsOf(resolvedConfig, shareOf(resolvedConfig, { index, count })).map(({ arm, seed }) => `${arm}${seed}`),
  );
};

test("two shards have whole seeds where these can be halved, so that pairs are made in one place", async () => {
  expect(await sharesOf(`epochs: 1\nseeds: 2\narms: ${FOUR}`, 2)).toEqual([
    ["a0", "b0", "c0", "d0"],
    ["a1", "b1", "c1", "d1"],
  ]);
});

test.each([
  [2, 3],
  [3, 3],
  [5, 3],
  [12, 3],
  [3, 7],
])(
  "%d shards of 4 arms x %d seeds have each run once, and differ by one at most, in all and of each arm",
  async (count, seeds) => {
    const shares = await sharesOf(`epochs: 1\nseeds: ${seeds}\narms: ${FOUR}`, count);
    const all = shares.flat();
    expect(new Set(all).size).toBe(all.length);
    expect(all).toHaveLength(4 * seeds);
    for (const arm of ["", "a", "b", "c", "d"]) {
      const sizes = shares.map((share) => share.filter((run) => run.startsWith(arm)).length);
      expect(Math.max(...sizes) - Math.min(...sizes), arm || "all").toBeLessThanOrEqual(1);
    }
  },
);

test("with a tuning whole arms are dealt out", async () => {
  const tune = "tune: { learningRate: [0.1, 0.2], seeds: 1 }";
  const shares = await sharesOf(`epochs: 1\nseeds: 2\n${tune}\narms: ${FOUR}`, 3);
  expect(shares).toEqual([
    ["a0", "d0", "a1", "d1"],
    ["b0", "b1"],
    ["c0", "c1"],
  ]);
});
