import { expect, test } from "vitest";
import { z } from "zod";
import { stoppedBefore } from "./one-run.js";
import { Scene } from "./scene.js";

const NOISE = "dataset.labelNoise={fraction: 0.25, seed: 3}";
const clean = (index: number) => index % 3;

async function noisyRun(more: readonly string[] = []) {
  const scene = new Scene();
  const done = await scene.run({ settings: [NOISE, ...more] });
  return { scene, ...done };
}

test("the backend has the labels before it trains, the same for each seed and arm, and they are on record", async () => {
  const { scene, client } = await noisyRun();
  const types = client.sent.map(({ type }) => type);
  const relabelled = client.sentOf("relabel").map(({ arrays }) => arrays);
  expect(types.filter((type, at) => type === "train" && types[at - 1] === "open")).toEqual([]);
  expect(relabelled).toHaveLength(4);
  expect(new Set(relabelled.map(({ indices, labels }) => `${indices}: ${labels}`)).size).toBe(1);
  const [{ indices, labels }] = relabelled;
  expect(indices).toHaveLength(6);
  expect([...indices].every((index, at) => labels[at] !== clean(index) && labels[at] < 3)).toBe(true);
  const expected = Array.from({ length: 24 }, (_, index) => clean(index));
  for (const [at, index] of indices.entries()) expected[index] = labels[at];
  expect(scene.words("shuffled/seed-1/trained-labels.u32")).toEqual(expected);
});

test("orders by class see them", async () => {
  const { scene } = await noisyRun(["arms={a: {order: {name: homogeneous, leftovers: short}}}", "seeds=1"]);
  const labels = scene.words("a/seed-0/trained-labels.u32");
  const classes = scene.words("a/seed-0/orders/0000.u32").map((index) => labels[index]);
  const { offsets } = z
    .object({ offsets: z.array(z.int()) })
    .parse(JSON.parse(scene.text("a/seed-0/orders/0000.json")));
  const inBatches = offsets.slice(1).map((end, batch) => new Set(classes.slice(offsets[batch], end)).size);
  expect(inBatches).toEqual(new Array(offsets.length - 1).fill(1));
});

test("each epoch says how many of them were drawn", async () => {
  const { results } = await noisyRun();
  const noise = results.flatMap(({ metrics }) => metrics.map(({ labelNoise }) => labelNoise));
  expect(noise).toEqual(new Array(12).fill({ share: 0.25, drawn: 0.25, mostDrawn: 0.25 }));
});

test("without it nothing is sent, written or measured", async () => {
  const scene = new Scene();
  const { client, results } = await scene.run({ settings: ["dataset.labelNoise=null"] });
  expect(client.sentOf("relabel")).toEqual([]);
  expect(scene.has("shuffled/seed-0/trained-labels.u32")).toBe(false);
  expect(results[0].metrics[0]).not.toHaveProperty("labelNoise");
});

test("a run goes on with the same labels, and not with others", async () => {
  const settings = ["arms={a: {order: shuffled}}", "seeds=[4]", "checkpoint={everyBatches: 2, leastSeconds: 0}"];
  const scene = await stoppedBefore(4, [...settings, NOISE]);
  const other = scene.run({ settings: [...settings, "dataset.labelNoise={fraction: 0.25, seed: 4}"] });
  await expect(other).rejects.toThrow("dataset.labelNoise.seed: 3 there, 4 here");
  const { client } = await scene.run({ settings: [...settings, NOISE] });
  const types = client.sent.map(({ type }) => type);
  expect(types.indexOf("relabel")).toBeLessThan(types.indexOf("load"));
  expect(scene.document("a", 4)).toMatchObject({ state: "done" });
});
