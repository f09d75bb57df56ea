import { describe, expect, test } from "vitest";
import { firstOfBatches, lastBatchShare } from "../../src/batching/last-batch.js";
import { armHash } from "../../src/config/config.js";
import { CONFIG, resolved, Scene } from "../experiment/scene.js";

test("the share of its size that the last batch has: 11 samples in batches of 3 end with two thirds", () => {
  expect(lastBatchShare(Uint32Array.of(0, 3, 6, 9, 11), () => 3)).toBe(2 / 3);
  expect(lastBatchShare(Uint32Array.of(0, 3, 6), () => 3)).toBe(1);
  expect(lastBatchShare(Uint32Array.of(0, 3, 5), (batch) => (batch === 0 ? 3 : 2))).toBe(1);
});

test("without the last batch every array ends with it, and what is said of all samples stays", () => {
  const probabilities = Float64Array.of(0.25, 0.25, 0.25, 0.25);
  const batches = {
    indices: Uint32Array.of(3, 1, 2),
    offsets: Uint32Array.of(0, 2, 3),
    weights: Float32Array.of(1, 2, 3),
    inclusion: Float64Array.of(0.5, 0.25, 1),
    probabilities,
  };
  expect(firstOfBatches(batches, 1)).toEqual({
    indices: Uint32Array.of(3, 1),
    offsets: Uint32Array.of(0, 2),
    weights: Float32Array.of(1, 2),
    inclusion: Float64Array.of(0.5, 0.25),
    probabilities,
  });
});

describe("in a run of 24 samples in batches of 5, rate 0.1", () => {
  const run = async (...settings: string[]) => {
    const scene = new Scene();
    const all = ["arms={a: {order: frozen}}", "seeds=1", "epochs=1", ...settings];
    const { client, results } = await scene.run({ settings: all });
    const rates = client.sentOf("train").flatMap(({ arrays }) => [...arrays.learningRates]);
    const samples = client.sentOf("train").reduce((sum, { arrays }) => sum + arrays.indices.length, 0);
    return { results, rates, samples, scene };
  };
  const RATE = 0.1;

  test("keep, the default: the last batch of 4 takes the whole rate", async () => {
    for (const settings of [[], ["batching.lastBatch=keep"]]) {
      const { rates, samples } = await run(...settings);
      expect({ rates, samples }).toEqual({ rates: Array(5).fill(RATE), samples: 24 });
    }
  });

  test("scale: it takes four fifths of it", async () => {
    const { rates, samples } = await run("batching.lastBatch=scale");
    expect({ rates, samples }).toEqual({ rates: [RATE, RATE, RATE, RATE, RATE * (4 / 5)], samples: 24 });
  });

  test("drop: it is trained by nobody, and counted as drawn nowhere", async () => {
    const { rates, samples, scene } = await run("batching.lastBatch=drop");
    expect({ rates, samples }).toEqual({ rates: Array(4).fill(RATE), samples: 20 });
    expect(scene.metrics("a", 0)).toMatchObject([{ batches: 4, samples: 20, order: { distinct: 20 } }]);
  });

  test.each(["scale", "drop"])("%s: a last batch of the full size is as all others", async (way) => {
    const { rates, samples } = await run(`batching.lastBatch=${way}`, "batching.size=6");
    expect({ rates, samples }).toEqual({ rates: Array(4).fill(RATE), samples: 24 });
  });

  test("drop, where it is the only one: the run fails, and says what to do", async () => {
    const { results } = await run("batching.lastBatch=drop", "batching.size=25");
    expect(results).toMatchObject([{ state: "failed" }]);
    expect(results[0].error).toContain(
      "epoch 1 has 24 samples where 25 make a batch, and batching.lastBatch: drop leaves none: lower the size",
    );
  });
});

test("left at its default it is in no record, so that hashes are those of before; another one is", async () => {
  const arm = async (lastBatch: string) => {
    const { arms, evaluation } = await resolved(CONFIG.replace("size: 5", `size: 5${lastBatch}`));
    return { options: arms.frozen.batching.options, hash: armHash(arms.frozen, evaluation) };
  };
  const before = await arm("");
  expect(before.options).toEqual({ size: 5, learningRate: "none", baseSize: null });
  expect(Object.keys(before.options)).not.toContain("lastBatch");
  expect(await arm(", lastBatch: keep")).toEqual(before);
  const dropped = await arm(", lastBatch: drop");
  expect(dropped.options).toMatchObject({ lastBatch: "drop" });
  expect(dropped.hash).not.toBe(before.hash);
});
