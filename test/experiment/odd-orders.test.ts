// Orders that break the contract, in a table beside the real ones.
import { describe, expect, test, vi } from "vitest";
import { resolveConfig } from "../../src/config/config.js";
import { ConfigSource } from "../../src/config/config-source.js";
import { OrderSources } from "../../src/config/order-sources.js";
import { IbatchError } from "../../src/errors.js";
import type { OrderContext, OrderDefinition, OrderResult } from "../../src/orders/contract.js";
import { mistake } from "../mistake.js";
import { CONFIG, resolved, Scene } from "./scene.js";

const odd = vi.hoisted(() => ({ order: (_context: OrderContext<unknown>): unknown => undefined }));

vi.mock("../../src/orders/index.js", async (original) => {
  const { findOrder, ORDERS } = await original<typeof import("../../src/orders/index.js")>();
  const frozen = findOrder("frozen");
  if (frozen.order === undefined) throw new Error("frozen makes whole epochs");
  const order = (context: OrderContext<unknown>) => odd.order(context) as OrderResult;
  const odds: OrderDefinition[] = [
    { ...frozen, name: "odd", order },
    { ...frozen, name: "odd-any", coverage: () => "any", order },
    {
      ...frozen,
      name: "odd-coverage",
      coverage: () => {
        throw new Error("no idea");
      },
    },
    { ...frozen, name: "odd-signals", signals: (): never[] => JSON.parse('["margin", "loss"]') },
    { ...frozen, name: "reads-losses", readsLedger: true },
  ];
  const all = [...ORDERS, ...odds];
  return { ORDERS: all, findOrder: (name: string) => all.find((entry) => entry.name === name) };
});

const all = Uint32Array.from({ length: 24 }, (_, index) => index);
const offsets = Uint32Array.of(0, 12, 24);
const good = { indices: all, offsets };

/** What the order returns in its second epoch; the first one is as it should be. */
async function run(second: () => unknown, name = "odd") {
  odd.order = ({ epoch }) => (epoch === 0 ? good : second());
  const scene = new Scene();
  const { results, error } = await scene.run({
    settings: [`arms={bad: {order: ${name}}, frozen: {order: frozen}}`, "seeds=1", "batching.size=12"],
  });
  expect(error).toBeUndefined();
  expect(
    results.map(({ state }) => state),
    "the other run goes on",
  ).toEqual(["failed", "done"]);
  const document = scene.document("bad", 0);
  expect(document).toMatchObject({ state: "failed", error: results[0].error });
  expect(document, "other code mends no order: that is another arm then").not.toHaveProperty("failedByItself");
  expect(scene.has("bad/seed-0/orders/0001.json"), "nothing of the plan is on disk").toBe(false);
  expect(scene.metrics("bad", 0), "and the epoch before it has its line").toHaveLength(1);
  return results[0].error;
}

describe("an order whose result is wrong ends its run, and its run alone, naming order, epoch and what was seen", () => {
  test.each<[string, unknown, string]>([
    [
      "nothing",
      undefined,
      "(the result has the right types): seen undefined, expected { indices, offsets }, returned at once",
    ],
    [
      "an index beyond the dataset",
      { indices: all.with(3, 99), offsets },
      "(indices are eligible): seen 99 of 24, expected some of the 24 eligible indices",
    ],
    [
      "a sample twice",
      { indices: all.with(3, 5), offsets },
      "(each sample comes as often as declared): seen sample 5 twice, expected each-once",
    ],
    [
      "an empty batch",
      { indices: all, offsets: Uint32Array.of(0, 12, 12, 24) },
      "seen 12, 12 for batch 1, expected rising",
    ],
    ["offsets that end early", { indices: all, offsets: Uint32Array.of(0, 12) }, "seen 0 … 12, expected 0 … 24"],
    ["too few of them", { indices: all.slice(0, 23), offsets: Uint32Array.of(0, 12, 23) }, "seen sample 23 missing"],
    [
      "too many of them",
      { indices: Uint32Array.of(...all, 0), offsets: Uint32Array.of(0, 12, 25) },
      "seen sample 0 twice",
    ],
    [
      "a list for indices",
      { indices: [...all], offsets },
      "seen indices: an Array of 24, expected indices: a Uint32Array",
    ],
    [
      "weights of float64",
      { ...good, weights: new Float64Array(24) },
      "seen weights: a Float64Array of 24, expected weights: a Float32Array",
    ],
    ["a promise", Promise.resolve(good), "seen a Promise, expected { indices, offsets }, returned at once"],
    [
      "a weight of 0",
      { ...good, weights: new Float32Array(24).fill(1).with(5, 0) },
      "seen 0 at place 5, expected 24 positive numbers",
    ],
    ["too few weights", { ...good, weights: Float32Array.of(1) }, "seen 1 weights, expected 24 positive numbers"],
    [
      "a weight that is NaN",
      { ...good, weights: new Float32Array(24).fill(Number.NaN) },
      "seen NaN at place 0, expected",
    ],
    [
      "an inclusion of 2",
      { ...good, inclusion: new Float64Array(24).fill(2) },
      "seen 2 at place 0, expected 24 numbers",
    ],
    [
      "a probability that is NaN",
      { ...good, probabilities: new Float64Array(24).fill(1 / 24).with(3, Number.NaN) },
      "(probabilities sum to 1): seen NaN at place 3, expected at least 0",
    ],
    [
      "too few probabilities",
      { ...good, probabilities: Float64Array.of(1) },
      "seen 1 of them, expected one for each of 24",
    ],
    [
      "probabilities of 0",
      { ...good, probabilities: new Float64Array(24) },
      "(probabilities sum to 1): seen a sum of 0, expected 1",
    ],
    [
      "a list of probabilities",
      { ...good, probabilities: [1] },
      "seen probabilities: an Array of 1, expected probabilities: a Float64Array",
    ],
  ])("%s", async (_, result, seen) => {
    const error = await run(() => result);
    expect(error).toMatch(/^order odd in epoch 2 breaks a law of orders \(/);
    expect(error).toContain(seen);
  });

  test("no sample at all, from an order that may leave some out", async () => {
    expect(await run(() => ({ indices: new Uint32Array(), offsets: Uint32Array.of(0) }), "odd-any")).toBe(
      "order odd-any in epoch 2 breaks a law of orders (there is at least one sample): seen none, expected some of the 24",
    );
  });

  test("or that throws", async () => {
    const error = await run(() => {
      throw new RangeError("size of batch 7 is 0");
    });
    expect(error).toBe("order odd in epoch 2 failed: RangeError: size of batch 7 is 0");
  });

  test("or that throws an error of ours: it is the order's nevertheless, and the other run goes on", async () => {
    const error = await run(() => {
      throw new IbatchError("usage", "there is no file with my weights");
    });
    expect(error).toBe("order odd in epoch 2 failed: there is no file with my weights");
  });

  test("or that throws what is no error", async () => {
    const error = await run(() => {
      throw "oh dear"; // as a user's file may
    });
    expect(error).toBe("order odd in epoch 2 failed: oh dear");
  });

  test("or whose array has lost its memory to another thread", async () => {
    const error = await run(() => {
      const indices = all.slice();
      structuredClone(indices, { transfer: [indices.buffer] });
      return { indices, offsets };
    });
    expect(error).toBe(
      "order odd in epoch 2 breaks a law of orders (the result has the right types): " +
        "seen indices: detached, its memory was transferred away, expected indices: a Uint32Array",
    );
  });
});

test("an order that fails in saying how often samples come is refused before anything runs", async () => {
  await expect(resolved(CONFIG.replace("order: frozen", "order: odd-coverage"))).rejects.toMatchObject({
    kind: "usage",
    message:
      "x.yaml:12: arms.frozen.order: order odd-coverage failed to say what it reads and changes: coverage: Error: no idea",
  });
});

test("arrays that an order changes after it returned them: what it returned is trained and recorded", async () => {
  for (const memory of [new ArrayBuffer(96), new SharedArrayBuffer(96)]) {
    const kept = new Uint32Array(memory);
    odd.order = () => {
      kept.set(all);
      queueMicrotask(() => kept.fill(0));
      return { indices: kept, offsets };
    };
    const scene = new Scene();
    const { results } = await scene.run({ settings: ["arms={bad: {order: odd}}", "seeds=1", "batching.size=12"] });
    expect(results).toMatchObject([{ state: "done" }]);
    expect(scene.words("bad/seed-0/orders/0002.u32")).toEqual([...all]);
  }
});

test("record.orders: hash is refused for an order that reads the ledger: it could not be made again", () => {
  const resolve = (arm: string) => {
    const settings = ["record.orders=hash", `arms.frozen.order=${arm}`].map((said) => ({ said, assignment: said }));
    return resolveConfig(ConfigSource.parse(CONFIG, "x.yaml", settings), OrderSources.builtIn, undefined);
  };
  expect(resolve("shuffled").record.orders).toBe("hash");
  expect(mistake(() => resolve("reads-losses"))).toBe(
    'record.orders=hash: record.orders: expected full, for order reads-losses of arm "frozen" reads the ledger',
  );
});

test("an order that declares a signal that there is not, or one twice, is refused before anything runs", async () => {
  await expect(resolved(CONFIG.replace("order: frozen", "order: odd-signals"))).rejects.toMatchObject({
    kind: "usage",
    message: "x.yaml:12: arms.frozen.order: order odd-signals declares signal loss, expected margin, entropy, el2n",
  });
});

test("an order that fills the same array anew each epoch is still compared with its last epoch", async () => {
  const kept = all.slice();
  odd.order = ({ epoch }) => {
    if (epoch > 0) kept.reverse();
    return { indices: kept, offsets };
  };
  const scene = new Scene();
  await scene.run({ settings: ["arms={bad: {order: odd}}", "seeds=1", "batching.size=12"] });
  const correlations = scene.metrics("bad", 0).map(({ order }) => Reflect.get(Object(order), "rankCorrelation"));
  expect(correlations).toEqual([undefined, -1, -1]);
});
