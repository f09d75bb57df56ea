import { describe, expect, test } from "vitest";
import { random } from "../../../src/kernels/random.js";
import { shuffled } from "../../../src/kernels/shuffle.js";
import { allocateMemory, batchContext } from "../../../src/orders/context.js";
import type { Pool } from "../../../src/orders/contract.js";
import selectiveBackprop from "../../../src/orders/rules/selective-backprop.js";
import { batchOf } from "./batch-order.js";

const poolOf = (indices: readonly number[], loss: readonly number[]): Pool => ({
  indices: Uint32Array.from(indices),
  loss: Float32Array.from(loss),
  correct: new Uint8Array(indices.length),
  prediction: new Uint32Array(indices.length),
});

/** A memory with these losses in its history. */
function remembering(losses: readonly number[]) {
  const memory = allocateMemory(selectiveBackprop.memory ?? {}, 10);
  for (const [at, loss] of losses.entries()) memory.losses[at] = loss;
  memory.came[0] = losses.length;
  return memory;
}

const UNSEEN = new Array(10).fill(Number.NaN);
const of = (pool: Pool, count: number, options: Record<string, unknown>, losses: readonly number[] = [], step = 0) => [
  ...batchOf("selective-backprop", UNSEEN, { options, count, pool, step, memory: remembering(losses) }).indices,
];

/** Share of 4000 batches of one in which the sample was selected. */
function shareOf(sample: number, pool: Pool, options: Record<string, unknown>, losses: readonly number[]): number {
  let times = 0;
  for (let step = 0; step < 4000; step++) if (of(pool, 1, options, losses, step)[0] === sample) times += 1;
  return times / 4000;
}
const isAbout = (share: number, expected: number) =>
  expect(Math.abs(share - expected)).toBeLessThan(4 * Math.sqrt((expected * (1 - expected)) / 4000));

describe("a candidate is selected with max(floor, percentile^β); by hand", () => {
  // With the history 2, 4 before, that of four last losses is 2, 4, 3, 1: half of it is below 3, none below 1.
  const history = [2, 4];
  const options = { history: 4, floor: 0.1 };
  const [three, one] = [7, 5];

  test("first 3 with 1/2, then 1 with the floor of 0.1; of neither, in proportion 5 : 1", () => {
    const share = shareOf(one, poolOf([three, one], [3, 1]), options, history);
    isAbout(share, 0.5 * 0.1 + 0.5 * 0.9 * (0.1 / 0.6));
  });

  test("the other way round", () => {
    const share = shareOf(one, poolOf([one, three], [1, 3]), options, history);
    isAbout(share, 0.1 + 0.9 * 0.5 * (0.1 / 0.6));
  });

  test("β 2: 3 with 1/4", () => {
    const share = shareOf(one, poolOf([three, one], [3, 1]), { ...options, beta: 2 }, history);
    isAbout(share, 0.75 * 0.1 + 0.75 * 0.9 * (0.1 / 0.35));
  });

  test("without a floor the lowest is never selected while there is another one", () => {
    expect(shareOf(one, poolOf([one, three], [1, 3]), { history: 4 }, history)).toBe(0);
  });

  test("β 0 selects all: a batch is the first candidates; β without end none, and they fill it in sequence", () => {
    const pool = poolOf([3, 1, 4, 0, 5], [0.3, 0.1, 0.4, 1, 0.5]);
    expect(of(pool, 3, { beta: 0 })).toEqual([3, 1, 4]);
    expect(of(pool, 3, { beta: 1e9 })).toEqual([3, 1, 4]);
  });
});

test("one of chance 0 comes behind all others, also where the number drawn for it is 0", () => {
  const numbers = [0.9, 0, 0.9, 0.5]; // neither of the two is selected; then the keys
  const uniform = () => numbers.shift() ?? Number.NaN;
  const inputs = {
    seed: 0,
    epoch: 0,
    labels: new Uint32Array(10),
    classCount: 1,
    size: 1,
    memory: remembering([2, 4]),
  };
  const drawn = { indices: new Uint32Array(), times: new Uint32Array(10), pending: new Uint32Array() };
  const place = { batch: 0, step: 0, count: 1, share: 0, drawn, pool: poolOf([5, 7], [1, 3]) };
  const options = selectiveBackprop.options.parse({ history: 4 });
  const context = batchContext({ ...inputs, options }, place);
  const { indices } = selectiveBackprop.nextBatch({
    ...context,
    random: () => ({ ...random(0, "order", 0), uniform }),
  });
  expect([...indices]).toEqual([7]);
  expect(numbers).toEqual([]);
});

test("the history holds the last R losses: of 1, 2, 3, 4 half are below 3, after 5 a quarter (the authors' own example)", () => {
  const memory = remembering([1, 2, 3, 4]);
  const options = { history: 4 };
  batchOf("selective-backprop", UNSEEN, { options, count: 1, pool: poolOf([0], [5]), memory });
  expect([...memory.losses.subarray(0, 5)]).toEqual([5, 2, 3, 4, 0]);
  expect(memory.came[0]).toBe(5);
});

test("as many as 1 / (1 + β) are selected of losses that come as they came before: of 64 candidates about 32, in sequence", () => {
  const numbers = random(3, "noise", 0);
  const lost = () => Float32Array.from({ length: 64 }, () => numbers.uniform());
  const memory = remembering([]);
  let last = 0;
  for (let step = 0; step < 200; step++) {
    const pool = poolOf([...Array(64).keys()], [...lost()]);
    const { indices } = batchOf("selective-backprop", new Array(64).fill(Number.NaN), {
      ...{ options: {}, count: 16, pool, step, memory },
    });
    last += indices[15];
  }
  // The sixteenth that is selected is the thirty-second candidate, on average.
  expect(Math.abs(last / 200 - 31)).toBeLessThan(1.5);
});

describe("stale: by the last known losses of the batch's part of the shuffle, without a score", () => {
  const options = { losses: "stale", factor: 2 };

  test("what was never seen is selected", () => {
    const shuffle = [...shuffled(Uint32Array.from(UNSEEN.keys()), random(0, "order-each-batch", 0))];
    const batch = (drawn: readonly number[]) => [
      ...batchOf("selective-backprop", UNSEEN, { options, count: 2, step: 5, drawn }).indices,
    ];
    expect(batch([])).toEqual(shuffle.slice(0, 2));
    expect(batch([1, 2])).toEqual(shuffle.slice(4, 6));
  });

  test("what is known goes into the history, and has its percentile", () => {
    const losses = [4, 3, 2, 1];
    const counts = [0, 0, 0, 0];
    for (let step = 0; step < 400; step++) {
      const memory = remembering([]);
      const [index] = batchOf("selective-backprop", losses, {
        options: { ...options, factor: 4 },
        count: 1,
        step,
        memory,
      }).indices;
      counts[index] += 1;
      expect([...memory.losses.subarray(0, 4)].sort()).toEqual([1, 2, 3, 4]);
    }
    expect(counts[0]).toBeGreaterThan(counts[2]);
    expect(counts[3]).toBe(0);
  });

  test("it says that it has none scored", () => {
    const scores = (given: Record<string, unknown>) =>
      selectiveBackprop.scoresCandidates(selectiveBackprop.options.parse(given));
    expect([scores(options), scores({})]).toEqual([false, true]);
  });
});
