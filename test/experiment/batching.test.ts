// Batch sizes and rates as a run has them: on the wire, in the plan and in the metrics.
import { expect, test } from "vitest";
import type { FieldsOf } from "../../src/backend/messages.js";
import { Scene } from "./scene.js";

async function run(batching: string, settings: readonly string[] = []) {
  const scene = new Scene();
  const { client, results } = await scene.run({
    settings: ["arms={a: {order: frozen}}", "seeds=1", `batching=${batching}`, ...settings],
  });
  expect(results).toMatchObject([{ state: "done" }]);
  const metrics = scene.metrics("a", 0);
  const plans = metrics.map(({ epoch }) => JSON.parse(scene.text(`a/seed-0/orders/000${epoch}.json`)));
  const sizes = plans.map(({ offsets }: { offsets: number[] }) => offsets.slice(1).map((end, b) => end - offsets[b]));
  // What went out is what the plans say, and metrics are of that.
  const sent = client.sentOf("train");
  expect(sent.flatMap(({ arrays }) => [...arrays.learningRates])).toEqual(
    plans.flatMap(({ learningRates }) => learningRates),
  );
  expect(sent.flatMap(({ arrays }) => [...arrays.offsets].slice(1).map((end, b) => end - arrays.offsets[b]))).toEqual(
    sizes.flat(),
  );
  expect(metrics).toMatchObject(
    plans.map(({ learningRates, planSha256 }, epoch) => ({
      batches: sizes[epoch].length,
      samples: sizes[epoch].reduce((sum, size) => sum + size),
      batchSize: { smallest: Math.min(...sizes[epoch]), largest: Math.max(...sizes[epoch]) },
      learningRate: { first: learningRates[0], last: learningRates.at(-1) },
      planSha256,
    })),
  );
  return { scene, client, sizes, rates: plans.map(({ learningRates }) => learningRates) };
}

test("linear from 4 to 12 in three epochs of 24 samples: 4, 8, 12; the rate stays", async () => {
  const { sizes, rates } = await run("{name: linear, from: 4, to: 12}");
  expect(sizes).toEqual([new Array(6).fill(4), [8, 8, 8], [12, 12]]);
  expect(rates).toEqual([new Array(6).fill(0.1), [0.1, 0.1, 0.1], [0.1, 0.1]]);
});

test("learningRate: linear takes the rate 1, 2 and 3 times, in the ratio to the first size", async () => {
  const { rates } = await run("{name: linear, from: 4, to: 12, learningRate: linear}");
  expect(rates).toEqual([new Array(6).fill(0.1), new Array(3).fill(0.1 * 2), new Array(2).fill(0.1 * 3)]);
});

test("learningRate: sqrt takes its root; baseSize: 16 is what the ratio is to", async () => {
  const { rates } = await run("{name: linear, from: 4, to: 12, learningRate: sqrt, baseSize: 16}");
  expect(rates).toEqual([
    new Array(6).fill(0.1 * 0.5), // √(4/16)
    new Array(3).fill(0.1 * Math.sqrt(0.5)),
    new Array(2).fill(0.1 * Math.sqrt(0.75)),
  ]);
});

test("shrinking, too, by a schedule that falls: both factors multiply", async () => {
  const { sizes, rates } = await run("{name: linear, from: 12, to: 4, learningRate: linear}", [
    "schedule={name: step, learningRate: 0.5, milestones: [1], gamma: 0.5}",
  ]);
  expect(sizes.map((all) => all[0])).toEqual([12, 8, 4]);
  expect(rates.map((all) => all[0])).toEqual([0.5, 0.5 * 0.5 * (8 / 12), 0.5 * 0.5 * (4 / 12)]);
});

test("per: batch within one epoch, 2 to 10: sizes 2 + 8·(samples before)/24, the last batch as short as it must be", async () => {
  const { sizes, rates } = await run("{name: linear, from: 2, to: 10, per: batch, learningRate: linear}", ["epochs=1"]);
  // 2, 2 + 16/24, 2 + 40/24, 2 + 72/24, 2 + 112/24, 2 + 168/24 rounded; 3 of the last 9 are left.
  expect(sizes).toEqual([[2, 3, 4, 5, 7, 3]]);
  expect(rates, "by the nominal size: a last, short batch is not scaled down").toEqual([
    [1, 1.5, 2, 2.5, 3.5, 4.5].map((factor) => 0.1 * factor),
  ]);
});

test("per: batch, of an order that draws half: the size is near its end in the last batches, not half way there", async () => {
  const half = ["arms={a: {order: {name: random-subset, fraction: 0.5}}}", "epochs=1"];
  const { sizes } = await run("{name: linear, from: 1, to: 5, per: batch}", half);
  // 12 of 24 samples: 1 + 4·(samples before)/12 is 1, 1.33, 1.67, 2.33, 3, 4, of which 2 are left.
  expect(sizes).toEqual([[1, 1, 2, 2, 3, 3]]);
});

test("a schedule counts samples, too: a batch's rate is that of where the samples before it end", async () => {
  const { rates } = await run("{name: constant, size: 10}", ["schedule={name: cosine, learningRate: 1}", "epochs=1"]);
  expect(rates[0].length).toBe(3);
  const expected = [0, 10 / 24, 20 / 24].map((progress) => (1 + Math.cos(Math.PI * progress)) / 2);
  for (const [at, rate] of rates[0].entries()) expect(rate).toBeCloseTo(expected[at], 14);
});

test.each([
  [0, "the gradient is that of whole batches but for rounding (the model has no BatchNorm)"],
  [
    20,
    "the model takes batch statistics (BatchNorm layers: 20), which are then of each part alone: another gradient than that of whole batches",
  ],
])(
  "microBatch goes into every chunk; the log says what it does to the gradient with %d BatchNorm layers",
  async (...row) => {
    const [batchNormLayers, expected] = row;
    const settings: FieldsOf<"open_ok">["settings"] = {
      memoryFormat: "contiguous",
      precision: "float32",
      deterministic: true,
      fusedUpdates: false,
      recordedSteps: false,
      dropout: [],
      batchNormLayers,
    };
    const scene = new Scene();
    const { client } = await scene.run({
      settings: ["arms={a: {order: frozen, microBatch: 2}, whole: {order: frozen}}", "seeds=1"],
      pretence: { opened: { settings } },
    });
    const asked = (session: string) =>
      client.sentOf("train").flatMap(({ fields }) => (fields.session === session ? [fields.microBatch] : []));
    expect(asked("s1")).toEqual(new Array(9).fill(2));
    expect(asked("s2")).toEqual(new Array(9).fill(null));
    const lines = scene.text("log.txt").trimEnd().split("\n");
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain(`a, seed 0: batches go through the model in parts of at most 2 samples; ${expected}`);
    expect(Reflect.get(Object(scene.document("a", 0).config), "microBatch")).toBe(2);
  },
);
