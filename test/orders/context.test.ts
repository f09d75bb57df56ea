import { describe, expect, test } from "vitest";
import { random } from "../../src/kernels/random.js";
import { allocateMemory, batchContext, emptyLedger, orderContext, poolContexts } from "../../src/orders/context.js";

const inputs = { options: {}, seed: 3, epoch: 5, labels: Uint32Array.of(0, 1, 0), classCount: 2, size: 2 };

describe("orderContext", () => {
  test("random is a function of (seed, stream, epoch), or of another place where asked", () => {
    const context = orderContext(inputs);
    expect(context.random("order").uint32()).toBe(random(3, "order", 5).uint32());
    expect(context.random("order").uint32()).toBe(random(3, "order", 5).uint32());
    expect(context.random("order", 0).uint32()).toBe(random(3, "order", 0).uint32());
  });

  test("left out: every sample is eligible, nothing was seen, no step was taken", () => {
    const context = orderContext(inputs);
    expect(context.n).toBe(3);
    expect([...context.eligible]).toEqual([0, 1, 2]);
    expect([...context.ledger.loss]).toEqual([Number.NaN, Number.NaN, Number.NaN]);
    expect(context.step).toBe(0);
    expect(context.memory).toEqual({});
  });

  test("progress is the share of the run that is over, before the epoch, and before a batch of it", () => {
    expect(orderContext({ ...inputs, epochs: 20 }).progress).toBe(0.25);
    expect(orderContext(inputs).progress).toBe(5 / 6);
    const drawn = { indices: Uint32Array.of(2), times: Uint32Array.of(0, 0, 1), pending: new Uint32Array() };
    const place = { batch: 1, step: 7, count: 1, drawn, share: 1 / 2 };
    expect(batchContext({ ...inputs, epochs: 20 }, place).progress).toBe(5.5 / 20);
    expect(batchContext(inputs, place)).not.toHaveProperty("share");
    const candidates = { batch: 1, step: 7, count: 1, first: 1 };
    expect(poolContexts({ ...inputs, epochs: 20 }, 2)(candidates).progress).toBe(5.5 / 20);
  });

  test("of a budget it is the share that is spent, the same before a batch and where its candidates are named", () => {
    const spending = { spent: 20, budget: 50, until: 50, perSample: 3, perBatch: 1 };
    const spent = { ...inputs, epochs: 20, spending };
    const drawn = { indices: Uint32Array.of(2), times: Uint32Array.of(0, 0, 1), pending: new Uint32Array() };
    const place = { batch: 1, step: 7, count: 1 };
    expect(orderContext(spent).progress).toBe(20 / 50);
    expect(batchContext(spent, { ...place, drawn, share: 1 / 2 }).progress).toBe(24 / 50);
    expect(poolContexts(spent, 2)({ ...place, first: 1 }).progress).toBe(24 / 50);
  });

  test.each([0, -1, 1.5, Number.NaN])("refuses a batching rule that says %d", (size) => {
    expect(() => orderContext({ ...inputs, size: () => size }).size(4)).toThrow(
      new RangeError(`size of batch 4 is ${size}, expected an integer of at least 1`),
    );
  });
});

test("an empty ledger says that no sample was seen", () => {
  const ledger = emptyLedger(2);
  expect(ledger).toEqual({
    loss: Float32Array.of(Number.NaN, Number.NaN),
    meanLoss: Float32Array.of(Number.NaN, Number.NaN),
    seenAtStep: Int32Array.of(-1, -1),
    correct: Uint8Array.of(255, 255),
    draws: Uint32Array.of(0, 0),
  });
});

test("an empty ledger has the signals that are asked for, and no others", () => {
  const { margin, entropy, el2n } = emptyLedger(1, ["margin", "el2n"]);
  expect([margin, entropy, el2n]).toEqual([Float32Array.of(Number.NaN), undefined, Float32Array.of(Number.NaN)]);
});

test("memory is allocated as declared, all zero", () => {
  const memory = allocateMemory(
    {
      seen: { dtype: "u8", length: (n) => n },
      mean: { dtype: "f64", length: () => 2 },
    },
    3,
  );
  expect(memory).toEqual({ seen: new Uint8Array(3), mean: new Float64Array(2) });
});
