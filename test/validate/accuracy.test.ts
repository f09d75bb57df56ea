import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { OrderSources } from "../../src/config/order-sources.js";
import { readTuning } from "../../src/record/tuning-record.js";
import { trainAll } from "../../src/validate/accuracy.js";
import { FakeBackend } from "../experiment/fake-backend.js";
import { CONFIG, resolved, temporaryDirectory } from "../experiment/scene.js";

test("runs that are held against plain PyTorch are those of the experiment: with the tuned rate, where one is tuned", async () => {
  const experiment = await resolved(`${CONFIG}tune: { learningRate: [0.01, 0.02], seeds: 1, validation: 0.25 }\n`);
  const out = join(temporaryDirectory(), "run");
  const client = new FakeBackend();
  const pool = [{ name: "it", isElsewhere: false, get: async () => client, discard: async () => {} }] as const;
  const workplace = { pool, dataDir: null };
  const { runs } = await trainAll(
    { experiment, orders: OrderSources.builtIn, arm: "frozen", workplace, observer: {}, margin: 0.01 },
    { out, command: "test", signal: new AbortController().signal },
  );
  const [{ rate }] = readTuning(out)?.arms ?? [];
  expect(rate).toBe(0.01); // equal means: the lower one
  for (const { directory } of runs) {
    const { config } = JSON.parse(readFileSync(join(directory, "run.json"), "utf8"));
    expect(config.schedule.options.learningRate).toBe(rate);
  }
  expect(client.sentOf("open"), "2 rates × 1 seed, then 2 seeds, of one arm").toHaveLength(4);
});
