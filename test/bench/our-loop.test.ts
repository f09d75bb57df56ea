import { join } from "node:path";
import { afterEach, describe, expect, test, vi } from "vitest";
import { OurLoop } from "../../src/bench/our-loop.js";
import { resolveConfig } from "../../src/config/config.js";
import { ConfigSource } from "../../src/config/config-source.js";
import { OrderSources } from "../../src/config/order-sources.js";
import { runConfig } from "../../src/config/run-config.js";
import { Interrupted } from "../../src/errors.js";
import type { RunOrder } from "../../src/order-files/run-order.js";
import { planHashes, RunRecord } from "../../src/record/run-record.js";
import { catalogue } from "../config/fake-catalogue.js";
import { FakeBackend, type Pretence } from "../experiment/fake-backend.js";
import { CONFIG, temporaryDirectory } from "../experiment/scene.js";

afterEach(() => vi.restoreAllMocks());

/** A run of three epochs of five batches, in chunks of two. */
async function open(pretence: Pretence = {}, asOrder = (order: RunOrder) => order) {
  const config = resolveConfig(ConfigSource.parse(CONFIG, "x.yaml"), OrderSources.builtIn, catalogue);
  const stopping = new AbortController();
  const { signal } = stopping;
  const client = new FakeBackend(pretence);
  const record = new RunRecord(join(temporaryDirectory(), "run"), { orders: "full", signals: "last" });
  const { frozen } = config.arms;
  record.start({ arm: "frozen", seed: 0, configHash: "", config: frozen, ibatchVersion: "", state: "running" });
  const started = OrderSources.builtIn.start(frozen.order, 0, { signal, limit: { seconds: 60 }, say: () => {} });
  const order = asOrder(started);
  const rest = { order, seed: 0, dataDir: null, record, signal, note: () => {} };
  const loop = await OurLoop.open({ client, config: runConfig(config, "frozen"), ...rest });
  const steps = () => client.sentOf("train").reduce((sum, { arrays }) => sum + arrays.learningRates.length, 0);
  return { loop, client, stopping, record, steps, closed: () => client.sentOf("close").length };
}

describe("ours, an epoch at a time", () => {
  test("trains nothing before its round, and one epoch in each", async () => {
    const { loop, steps } = await open();
    expect(steps()).toBe(0);
    await loop.round();
    expect(steps()).toBe(5);
    await new Promise((resolve) => setImmediate(resolve));
    expect(steps()).toBe(5);
    await loop.round();
    expect(steps()).toBe(10);
    await loop.close();
  });

  test("of its seconds those of evaluations are left out, and control is what the backend did not train", async () => {
    const spent = { train: 0, evaluate: 1000 };
    const { loop } = await open({ seconds: ({ type }) => (type === "evaluate" ? spent.evaluate : spent.train) });
    const { seconds, controlSeconds } = await loop.round();
    expect(seconds).toBeLessThan(0); // the pretence says that more was evaluated than there was time
    expect(controlSeconds).toBe(seconds);
    await loop.close();
  });

  test("its seconds are the clock's: the plan of the next epoch is in them, and all that is recorded", async () => {
    let clock = 0;
    vi.spyOn(performance, "now").mockImplementation(() => 1000 * clock);
    const taking = (seconds: number) => {
      clock += seconds;
    };
    const { loop, record } = await open({ seconds: ({ type }) => (type === "train" ? 1 : 0) }, (order) => ({
      ...order,
      order: async (inputs) => {
        taking(100);
        return await order.order(inputs);
      },
    }));
    vi.spyOn(record, "appendMetrics").mockImplementation(() => taking(20));
    vi.spyOn(record, "writePlan").mockImplementation((_, plan) => {
      taking(3);
      return planHashes(plan);
    });
    const chunks = 3;
    expect(await loop.round()).toEqual({ seconds: 223, controlSeconds: 223 - chunks }); // of the first plan, too
    expect(await loop.round()).toEqual({ seconds: 123, controlSeconds: 123 - chunks });
    await loop.close();
  });

  test("closing ends the run where it waits, and its session; once closed it trains no more", async () => {
    const { loop, steps, closed } = await open();
    await loop.round();
    await loop.close();
    expect({ steps: steps(), closed: closed() }).toEqual({ steps: 5, closed: 1 });
    await expect(loop.round()).rejects.toBeInstanceOf(Interrupted);
  });

  test("closing before any round trains nothing", async () => {
    const { loop, steps, closed } = await open();
    await loop.close();
    expect({ steps: steps(), closed: closed() }).toEqual({ steps: 0, closed: 1 });
  });

  test("a signal ends a round, and what waits for one", async () => {
    const { loop, stopping, closed } = await open({
      before: ({ type }) => void (type === "train" && stopping.abort()),
    });
    await expect(loop.round()).rejects.toBeInstanceOf(Interrupted);
    await loop.close();
    expect(closed()).toBe(1);
  });

  test("a run that diverges, or comes to its end, cannot be measured, and it is said why", async () => {
    const diverging = await open({ loss: (_, step) => (step < 7 ? 1 : Number.NaN) });
    await diverging.loop.round();
    await expect(diverging.loop.round()).rejects.toThrow(
      "the run that is measured diverged at step 7 before all of it was",
    );
    const short = await open();
    for (let round = 0; round < 3; round++) await short.loop.round();
    await expect(short.loop.round()).rejects.toThrow("came to its end before");
    await Promise.all([diverging.loop.close(), short.loop.close()]);
  });
});
