import { describe, expect, test } from "vitest";
import { z } from "zod";
import { random } from "../../src/kernels/random.js";
import { shuffled } from "../../src/kernels/shuffle.js";
import { checkOrder, type Law } from "../../src/orders/conformance.js";
import {
  cut,
  defineOrder,
  type EitherOrder,
  type EpochOrder,
  type OrderContext,
  type OrderDefinition,
  oneBatch,
  type PoolOrder,
} from "../../src/orders/contract.js";
import { isOrderDefinition } from "../../src/orders/definition-check.js";
import { optionCombinations } from "../../src/orders/option-combinations.js";
import { shareOfTests } from "../full-size.js";
import { ruleFiles } from "./rule-files.js";

async function readOrder(name: string): Promise<OrderDefinition> {
  const module: { default?: unknown } = await import(`../../src/orders/rules/${name}.ts`);
  if (isOrderDefinition(module.default)) return module.default;
  throw new Error(`src/orders/rules/${name}.ts has no order as its default export`);
}

describe("every order in src/orders keeps the laws", () => {
  test.each(ruleFiles())("%s", async (name) => {
    const order = await readOrder(name);
    expect(order.name).toBe(name);
    expect(order.options.safeParse({}).success, "every option has a default").toBe(true);
    expect(checkOrder(order, shareOfTests(optionCombinations(order.options), 4))).toEqual([]);
  });
});

/** Options that no list of values leads to. */
const MORE_OPTIONS: Record<string, readonly Record<string, unknown>[]> = {
  "loss-global": [{ jitter: 5 }, { jitter: 20, spread: true, batches: "shuffled" }],
  curriculum: [
    { a: 0.3, b: 0.9 },
    { sort: "random", pacing: "exp", b: 1 },
    { epoch: 3, per: "batch", a: 2 },
  ],
  "el2n-subset": [{ fraction: 0.9, offset: 0.1, keep: "offset" }, { fraction: 1 }],
  "forgetting-subset": [{ fraction: 0.9 }, { fraction: 1 }],
  infobatch: [{ r: 0.2, delta: 1 }, { r: 0.9 }, { r: 0 }],
  "loshchilov-hutter": [{ se0: 1e8 }, { se0: 1, seEnd: 1 }, { se0: 4, seEnd: 64, tSort: 3 }],
  "loss-per-class": [{ jitter: 5 }, { jitter: 20, spread: true, batches: "shuffled" }],
  importance: [{ factor: 1 }, { factor: 8, tauTh: 0, aTau: 0 }],
  pool: [{ factor: 1 }, { factor: 3, by: "entropy" }],
  "rho-loss": [{ factor: 1 }, { factor: 3 }],
  "random-subset": [{ fraction: 0.3 }, { fraction: 0.001 }],
  "selective-backprop": [{ factor: 1 }, { factor: 3, beta: 2, floor: 0.1, history: 16 }],
  "top-loss": [{ fraction: 0.3 }, { fraction: 0.3, cover: true, take: "lowest" }],
  weighted: [
    { fraction: 0.4 },
    { fraction: 0.4, unbiased: true },
    { fraction: 0.1, unbiased: true, cap: 2, normalise: true, power: 2 },
    { fraction: 0.3, sequence: "drawn", weights: "rank", alpha: 2, by: "el2n", unseen: "mean" },
    { fraction: 0.5, weights: "uniform", unbiased: true },
    { fraction: 0.3, per: "batch", unbiased: true },
    { fraction: 0.3, per: "batch", cover: true, weights: "rank" },
  ],
};

test.each(Object.entries(MORE_OPTIONS))(
  "%s keeps the laws with numbers other than the defaults",
  async (name, list) => {
    const order = await readOrder(name);
    expect(
      checkOrder(
        order,
        list.map((options) => order.options.parse(options)),
      ),
    ).toEqual([]);
  },
);

/** An order that keeps the laws, with one thing made otherwise. */
function broken(change: Partial<EpochOrder>): EpochOrder {
  const sound = defineOrder({
    name: "broken",
    summary: "Sound but for one thing.",
    whenToChoose: "Never.",
    options: z.strictObject({}),
    coverage: () => "each-once",
    changesObjective: () => false,
    readsLedger: false,
    changesEachEpoch: () => true,
    dependsOnSeed: () => true,
    order(context) {
      const indices = shuffled(context.eligible, context.random("order"));
      return { indices, offsets: cut(indices.length, context.size) };
    },
  });
  return { ...sound, ...change };
}
const sound = broken({}).order;

/** One that decides each batch, and keeps the laws, with one thing made otherwise. */
const {
  candidates: _,
  scoresCandidates: __,
  candidatesPerSample: ___,
  ...repeating
} = broken({ coverage: () => "any", deviation: "Says so." });
const either = (change: Partial<EitherOrder>): EitherOrder => ({
  ...repeating,
  decidesEachBatch: () => true,
  nextBatch: (context) => {
    const indices = shuffled(context.eligible, context.random("order")).slice(0, context.count);
    return { indices, offsets: oneBatch(context.count) };
  },
  ...change,
});

test("one that decides each batch keeps the laws", () => {
  expect(checkOrder(either({}))).toEqual([]);
});

/** One that has candidates scored, and keeps the laws, with one thing made otherwise. */
const pooled = (change: Partial<PoolOrder>): PoolOrder => {
  const { order: _order, candidatesPerSample: _perSample, ...declaration } = broken({});
  return {
    ...declaration,
    ...{ coverage: () => "at-most-once", epochShare: () => 1 / 2, deviation: "Says so.", changesObjective: () => true },
    readsLedger: true,
    candidates: ({ shuffle, first, count }) => shuffle.slice(2 * first, 2 * (first + count)),
    nextBatch: ({ pool, count }) => {
      const places = Uint32Array.from(pool.loss.keys()).sort((a, b) => pool.loss[b] - pool.loss[a] || a - b);
      return { indices: places.slice(0, count).map((place) => pool.indices[place]), offsets: oneBatch(count) };
    },
    ...change,
  };
};
// Of an odd number of samples the last pool would be too small for its batch where it is rounded up.
const evenly = (change: Partial<PoolOrder>) =>
  pooled({
    candidates: ({ shuffle, first, count }) =>
      2 * first + count > shuffle.length ? shuffle.slice(-count) : shuffle.slice(2 * first, 2 * (first + count)),
    ...change,
  });

test("one that has candidates scored keeps the laws, and is asked with scores that tell samples apart", () => {
  const seen = new Set<number>();
  const order = evenly({});
  const watching = evenly({
    nextBatch: (context) => {
      for (const loss of context.pool.loss) seen.add(loss);
      return order.nextBatch(context);
    },
  });
  expect(checkOrder(watching)).toEqual([]);
  expect(seen.size).toBeGreaterThan(1000);
});

test("one that has candidates scored may look at no score: a control of equal cost", () => {
  const blind = evenly({
    nextBatch: ({ pool, count }) => ({ indices: pool.indices.slice(0, count), offsets: oneBatch(count) }),
  });
  expect(checkOrder(blind)).toEqual([]);
});

/** Reverses what a sound order makes, where this says so. */
const reversing = (isReversed: (context: OrderContext<unknown>) => boolean): Partial<EpochOrder> => ({
  order(context) {
    const { indices, offsets } = sound(context);
    return { indices: isReversed(context) ? indices.reverse() : indices, offsets };
  },
});

describe("what is kept from one epoch or batch to the next is in memory", () => {
  const law: Law = "what is kept is in memory";
  const epochsSeen = new Set<string>();
  let last = -1;
  let batches: number[] = [];

  test.each<[string, OrderDefinition, string]>([
    [
      "the epochs that it has made",
      broken(
        reversing(({ epoch, n }) => {
          epochsSeen.add(`${n} ${epoch}`);
          return epochsSeen.has(`${n} ${epoch - 1}`);
        }),
      ),
      "epoch 3 is another one when it is made by itself, with the same ledger and memory",
    ],
    [
      "the epochs of later on",
      broken(
        reversing(({ epoch, n }) => {
          epochsSeen.add(`late ${n} ${epoch}`);
          return epoch > 1 && epochsSeen.has(`late ${n} ${epoch - 1}`);
        }),
      ),
      "epoch 3 is another one",
    ],
    [
      "the last epoch alone",
      broken(
        reversing(({ epoch }) => {
          const isNext = last === epoch - 1;
          last = epoch;
          return isNext;
        }),
      ),
      "epoch 3 is another one",
    ],
    [
      "what it needs",
      broken({
        order(context) {
          epochsSeen.add(`needed ${context.n} ${context.epoch}`);
          if (context.n === 61 && context.epoch > 0 && !epochsSeen.has(`needed 61 ${context.epoch - 1}`)) {
            throw new Error("no epoch before");
          }
          return sound(context);
        },
      }),
      "epoch 3 cannot be made by itself: Error: no epoch before",
    ],
    [
      "a memory of its own beside the one that it declares",
      broken({
        memory: { count: { dtype: "u32", length: () => 1 } },
        order(context) {
          context.memory.count[0] = context.epoch === last + 1 ? 7 : 8;
          last = context.epoch;
          return sound(context);
        },
      }),
      "epoch 3 leaves another memory when it is made by itself",
    ],
    [
      "the batches of an epoch",
      either({
        nextBatch: (context) => {
          if (context.batch === 0) batches = [];
          batches.push(context.batch);
          const indices = shuffled(context.eligible, context.random("order", batches.length)).slice(0, context.count);
          return { indices, offsets: oneBatch(context.count) };
        },
      }),
      "batch 7 of epoch 3 is another one",
    ],
  ])("%s is found out", (_, order, seen) => {
    const findings = checkOrder(order);
    expect(findings).toMatchObject([{ law, seen: expect.stringContaining(seen) }]);
    expect(findings[0].expected).toContain("belongs into `memory`");
  });

  test("in memory it is lawful, for epochs and for batches", () => {
    const memory = { last: { dtype: "f64", length: () => 1 } } as const;
    const isNext = ({ memory: { last }, epoch }: OrderContext<unknown>): boolean => {
      const seen = last[0] === epoch;
      last[0] = epoch + 1;
      return epoch > 0 && seen;
    };
    expect(checkOrder(broken({ ...reversing(isNext), memory }))).toEqual([]);
    const counting = either({
      memory,
      nextBatch: ({ memory: { last }, eligible, random, step, count }) => {
        last[0] += 1;
        const indices = shuffled(eligible, random("order", step + 7 * last[0])).slice(0, count);
        return { indices, offsets: oneBatch(count) };
      },
    });
    expect(checkOrder(counting)).toEqual([]);
  });
});

test("where equal inputs give other bits, nothing is made of what other inputs give", () => {
  const wilful = broken(reversing(() => Math.random() < 0.5));
  expect(new Set(checkOrder(wilful).map(({ law }) => law))).toEqual(new Set(["same inputs, same bits"]));
});

let calls = 0;
const faults: { fault: string; law: Law; order: OrderDefinition }[] = [
  {
    fault: "drops a sample",
    law: "each sample comes as often as declared",
    order: broken({
      order(context) {
        const indices = sound(context).indices.slice(1);
        return { indices, offsets: cut(indices.length, context.size) };
      },
    }),
  },
  {
    fault: "drops a sample, but only after the first epoch",
    law: "each sample comes as often as declared",
    order: broken({
      order(context) {
        const indices = sound(context).indices.slice(context.epoch);
        return { indices, offsets: cut(indices.length, context.size) };
      },
    }),
  },
  {
    fault: "draws a sample twice",
    law: "each sample comes as often as declared",
    order: broken({
      order(context) {
        const { indices, offsets } = sound(context);
        indices[0] = indices[indices.length - 1];
        return { indices, offsets };
      },
    }),
  },
  {
    fault: "draws a sample twice though it says at most once",
    law: "each sample comes as often as declared",
    order: broken({
      coverage: () => "at-most-once",
      deviation: "Draws a part.",
      order(context) {
        const { indices, offsets } = sound(context);
        indices[0] = indices[indices.length - 1];
        return { indices, offsets };
      },
    }),
  },
  {
    fault: "goes past the last sample",
    law: "indices are eligible",
    order: broken({
      order(context) {
        const { indices, offsets } = sound(context);
        indices[0] = context.n;
        return { indices, offsets };
      },
    }),
  },
  {
    fault: "takes the whole dataset where only a part is eligible",
    law: "indices are eligible",
    order: broken({
      order(context) {
        return sound({ ...context, eligible: Uint32Array.from(context.labels.keys()) });
      },
    }),
  },
  {
    fault: "adds seed and epoch",
    law: "(seed 0, epoch 1) is not (seed 1, epoch 0)",
    order: broken({
      order(context) {
        // What a user without `random` would do: a key from the first word of each seed, and the epoch on top.
        const seed = [0, 1].find((s) => random(s, "order", 0).uint32() === context.random("order", 0).uint32()) ?? 0;
        const indices = shuffled(context.eligible, random(seed + context.epoch, "order", 0));
        return { indices, offsets: cut(indices.length, context.size) };
      },
    }),
  },
  {
    fault: "leaves the seed out of its key",
    law: "seeds differ as declared",
    order: broken({
      order(context) {
        const indices = shuffled(context.eligible, random(0, "order", context.epoch));
        return { indices, offsets: cut(indices.length, context.size) };
      },
    }),
  },
  {
    fault: "leaves the epoch out of its key",
    law: "epochs differ as declared",
    order: broken({
      order(context) {
        const indices = shuffled(context.eligible, context.random("order", 0));
        return { indices, offsets: cut(indices.length, context.size) };
      },
    }),
  },
  {
    fault: "changes though it says that epochs do not",
    law: "epochs differ as declared",
    order: broken({ changesEachEpoch: () => false, deviation: "Says so." }),
  },
  {
    fault: "depends on the seed though it says not",
    law: "seeds differ as declared",
    order: broken({ dependsOnSeed: () => false, deviation: "Says so." }),
  },
  {
    fault: "changes the eligible indices",
    law: "inputs are untouched",
    order: broken({
      order(context) {
        const result = sound(context);
        context.eligible.sort((a, b) => b - a);
        return result;
      },
    }),
  },
  {
    fault: "writes into the ledger",
    law: "inputs are untouched",
    order: broken({
      order(context) {
        context.ledger.loss.fill(0);
        return sound(context);
      },
    }),
  },
  {
    fault: "makes batches that are too large",
    law: "no batch is larger than asked for",
    order: broken({
      order(context) {
        const { indices } = sound(context);
        return { indices, offsets: cut(indices.length, (batch) => context.size(batch) + 1) };
      },
    }),
  },
  {
    fault: "asks for the size of the first batch only",
    law: "no batch is larger than asked for",
    order: broken({
      order(context) {
        const { indices } = sound(context);
        return { indices, offsets: cut(indices.length, () => context.size(1)) };
      },
    }),
  },
  {
    fault: "leaves the last, short batch out of the offsets",
    law: "offsets are well-formed",
    order: broken({
      order(context) {
        const { indices, offsets } = sound(context);
        return { indices, offsets: offsets.slice(0, -1) };
      },
    }),
  },
  {
    fault: "makes an empty batch",
    law: "offsets are well-formed",
    order: broken({
      order(context) {
        const { indices, offsets } = sound(context);
        return { indices, offsets: Uint32Array.of(0, ...offsets) };
      },
    }),
  },
  {
    fault: "counts its calls",
    law: "same inputs, same bits",
    order: broken({
      order(context) {
        const indices = shuffled(context.eligible, random(calls++, "order", context.epoch));
        return { indices, offsets: cut(indices.length, context.size) };
      },
    }),
  },
  {
    fault: "reads the ledger without saying so",
    law: "the ledger is read only when declared",
    order: broken({
      order(context) {
        const { indices } = sound(context);
        indices.sort((a, b) => context.ledger.draws[b] - context.ledger.draws[a]);
        return { indices, offsets: cut(indices.length, context.size) };
      },
    }),
  },
  {
    fault: "says that it reads the ledger and does not",
    law: "the ledger is read when declared",
    order: broken({ readsLedger: true }),
  },
  {
    fault: "reads a signal that it does not declare",
    law: "it returns without an error",
    order: broken({
      readsLedger: true,
      order(context) {
        if (context.ledger.margin === undefined) throw new Error("no margin");
        return sound(context);
      },
    }),
  },
  {
    fault: "takes a signal that it does not declare where there is one",
    law: "signals are read only when declared",
    order: broken({
      readsLedger: true,
      order(context) {
        const { margin } = context.ledger;
        const { indices } = sound(context);
        if (margin !== undefined) indices.sort((a, b) => margin[b] - margin[a]);
        return { indices, offsets: cut(indices.length, context.size) };
      },
    }),
  },
  {
    fault: "breaks once losses are known",
    law: "each sample comes as often as declared",
    order: broken({
      readsLedger: true,
      order(context) {
        const { indices } = sound(context);
        const [first] = context.eligible;
        const kept = indices.filter((index) => index === first || !(context.ledger.loss[index] < 1));
        return { indices: kept, offsets: cut(kept.length, context.size) };
      },
    }),
  },
  {
    fault: "writes into a signal",
    law: "inputs are untouched",
    order: broken({
      readsLedger: true,
      signals: () => ["el2n"],
      order(context) {
        context.ledger.el2n?.fill(0);
        return sound(context);
      },
    }),
  },
  {
    fault: "writes into the scores of earlier runs",
    law: "inputs are untouched",
    order: broken({
      scores: () => ({ of: "loss", epoch: null }),
      order(context) {
        if (context.scores !== undefined) Reflect.set(context.scores, 0, 7);
        return sound(context);
      },
    }),
  },
  {
    fault: "another share of the samples than it declares",
    law: "an epoch draws the share that is declared",
    order: broken({ epochShare: () => 0.5, coverage: () => "any", deviation: "Says so." }),
  },
  {
    fault: "each sample once, of half of them",
    law: "coverage, share and signals are known",
    order: broken({ epochShare: () => 0.5, coverage: () => "each-once" }),
  },
  {
    fault: "no share at all",
    law: "coverage, share and signals are known",
    order: broken({ epochShare: () => Number.NaN }),
  },
  {
    fault: "covers in a way of its own",
    law: "coverage, share and signals are known",
    order: broken({ coverage: () => JSON.parse('"twice"'), deviation: "Says so." }),
  },
  {
    fault: "decides each batch by a word",
    law: "coverage, share and signals are known",
    order: either({ decidesEachBatch: () => JSON.parse('"no"') }),
  },
  {
    fault: "decides each batch, and brings sizes of its own",
    law: "coverage, share and signals are known",
    order: either({ ownSizes: true }),
  },
  {
    fault: "keeps something in what the epoch has drawn",
    law: "what is drawn is untouched",
    order: either({
      nextBatch: ({ eligible, drawn, count }) => {
        if (count > 0) Reflect.set(drawn.times, 0, 7);
        return { indices: eligible.slice(0, count), offsets: oneBatch(count) };
      },
    }),
  },
  {
    fault: "draws another number for a batch than it was asked for",
    law: "a batch is as large as asked for",
    order: either({ nextBatch: ({ eligible }) => ({ indices: eligible.slice(0, 99), offsets: oneBatch(99) }) }),
  },
  {
    fault: "names candidates that are not eligible",
    law: "candidates are eligible",
    order: pooled({
      coverage: () => "any",
      candidates: ({ n, count }) => new Uint32Array(count).fill(n),
    }),
  },
  {
    fault: "names a candidate twice",
    law: "each candidate comes once",
    order: pooled({ candidates: ({ eligible, count }) => new Uint32Array(count + 1).fill(eligible[0]) }),
  },
  {
    fault: "names fewer candidates than the batch holds",
    law: "there are as many candidates as the batch holds",
    order: pooled({
      coverage: () => "any",
      candidates: ({ shuffle }) => shuffle.slice(0, 1),
      candidatesPerSample: () => 1,
    }),
  },
  {
    fault: "names two candidates for each sample, and declares one",
    law: "candidates are as many as declared",
    order: evenly({ candidatesPerSample: () => 1 }),
  },
  {
    fault: "names two candidates for each sample, and declares three",
    law: "candidates are as many as declared",
    order: evenly({ candidatesPerSample: () => 3 }),
  },
  {
    fault: "names a candidate more in one batch",
    law: "candidates are as many as declared",
    order: evenly({
      candidates: ({ shuffle, first, count, batch }) =>
        2 * first + count > shuffle.length
          ? shuffle.slice(-count)
          : shuffle.slice(2 * first, 2 * (first + count) + Number(batch === 2)),
    }),
  },
  {
    fault: "names other candidates when it is asked again",
    law: "candidates are a function of their place",
    order: pooled({
      candidates: ({ eligible, count }) => {
        calls += 1;
        return shuffled(eligible, random(calls, "order", 0)).slice(0, 2 * count);
      },
    }),
  },
  {
    fault: "turns what is left of the shuffle round once, which a run that goes on is shown as it was",
    law: "candidates are a function of their place",
    order: evenly({
      candidates: ({ shuffle, first, count, batch }) => {
        if (batch === 1) shuffle.subarray(2 * first).reverse();
        return shuffle.slice(2 * first, 2 * (first + count));
      },
    }),
  },
  {
    fault: "sorts the shuffle once, which a run that goes on is shown as it was",
    law: "candidates are a function of their place",
    order: evenly({
      coverage: () => "any",
      candidates: ({ shuffle, first, count, batch }) => {
        if (batch === 1) shuffle.sort();
        return 2 * first + count > shuffle.length
          ? shuffle.slice(-count)
          : shuffle.slice(2 * first, 2 * (first + count));
      },
    }),
  },
  {
    fault: "names candidates in an Array",
    law: "candidates are a Uint32Array",
    order: pooled({ candidates: ({ eligible }) => JSON.parse(JSON.stringify([...eligible])) }),
  },
  {
    fault: "writes into the scores",
    law: "the pool is untouched",
    order: evenly({
      nextBatch: ({ pool, count }) => {
        Reflect.set(pool.loss, 0, -1);
        return { indices: pool.indices.slice(0, count), offsets: oneBatch(count) };
      },
    }),
  },
  {
    fault: "reads a score that it does not declare",
    law: "signals are read only when declared",
    order: evenly({
      nextBatch: ({ pool, count }) => {
        const value = (at: number) => pool.margin?.[at] ?? pool.loss[at];
        const places = Uint32Array.from(pool.loss.keys()).sort((a, b) => value(b) - value(a) || a - b);
        return { indices: places.slice(0, count).map((place) => pool.indices[place]), offsets: oneBatch(count) };
      },
    }),
  },
  {
    fault: "scores candidates by a word",
    law: "coverage, share and signals are known",
    order: { ...pooled({}), scoresCandidates: () => JSON.parse('"no"') },
  },
  {
    fault: "looks at the ledger that it says it ignores",
    law: "it returns without an error",
    order: pooled({
      ignoresLedger: () => true,
      nextBatch: ({ pool, ledger, count }) => ({
        indices: pool.indices.slice(0, Math.min(count, ledger.loss.length)),
        offsets: oneBatch(count),
      }),
    }),
  },
  {
    fault: "has fewer candidates than samples",
    law: "coverage, share and signals are known",
    order: pooled({ candidatesPerSample: () => 1 / 2 }),
  },
  {
    fault: "has candidates scored, and says that it reads nothing",
    law: "it returns without an error",
    order: pooled({ readsLedger: false }),
  },
  {
    fault: "declares a signal that there is not",
    law: "coverage, share and signals are known",
    order: broken({ signals: () => JSON.parse('["gradient"]') }),
  },
  {
    fault: "gives probabilities that do not sum to 1",
    law: "probabilities sum to 1",
    order: broken({
      order: (context) => ({ ...sound(context), probabilities: new Float64Array(context.eligible.length) }),
    }),
  },
  {
    fault: "gives a probability below 0",
    law: "probabilities sum to 1",
    order: broken({
      order: (context) => ({
        ...sound(context),
        probabilities: Float64Array.from(context.eligible, (_, i) =>
          i === 0 ? -1 : 2 / (context.eligible.length - 1),
        ),
      }),
    }),
  },
  {
    fault: "gives a probability for each sample of the dataset",
    law: "probabilities sum to 1",
    order: broken({
      order: (context) => ({ ...sound(context), probabilities: new Float64Array(context.n).fill(1 / context.n) }),
    }),
  },
  {
    fault: "gives a weight of 0",
    law: "weights are finite and positive",
    order: broken({ order: (context) => ({ ...sound(context), weights: new Float32Array(context.eligible.length) }) }),
  },
  {
    fault: "gives too few weights",
    law: "weights are finite and positive",
    order: broken({ order: (context) => ({ ...sound(context), weights: new Float32Array(0) }) }),
  },
  {
    fault: "gives an inclusion above 1",
    law: "inclusion is a probability above 0",
    order: broken({
      order: (context) => ({ ...sound(context), inclusion: new Float64Array(context.eligible.length).fill(1.5) }),
    }),
  },
  {
    fault: "throws on a class without samples",
    law: "it returns without an error",
    order: broken({
      order(context) {
        const present = new Set([...context.eligible].map((index) => context.labels[index]));
        if (present.size < context.classCount) throw new Error("class without samples");
        return sound(context);
      },
    }),
  },
  {
    fault: "returns other arrays than asked for",
    law: "the result has the right types",
    // As from a file in plain JavaScript.
    order: broken({ order: () => JSON.parse('{ "indices": [0], "offsets": [0, 1] }') }),
  },
  {
    fault: "returns nothing",
    law: "the result has the right types",
    order: broken({ order: () => JSON.parse("null") }),
  },
  {
    fault: "returns a Promise",
    law: "the result has the right types",
    order: broken({ order: (context) => Promise.resolve(sound(context)) as never }),
  },
  {
    fault: "deviates without a reason",
    law: "a deviation has its reason",
    order: broken({ coverage: () => "at-most-once" }),
  },
  {
    fault: "has a member that is written wrong",
    law: "the definition has no other members",
    order: Object.assign(broken({}), { changesObjectve: () => true }),
  },
  {
    fault: "returns a member that is written wrong",
    law: "the result has no other members",
    order: broken({
      order: (context) => Object.assign(sound(context), { wieghts: new Float32Array(context.n).fill(2) }),
    }),
  },
  {
    fault: "returns such a member with a batch",
    law: "the result has no other members",
    order: {
      ...either({}),
      nextBatch: (context) => Object.assign(either({}).nextBatch(context), { weight: Float32Array.of(2) }),
    },
  },
  {
    fault: "has an option without a default",
    law: "every option has a default",
    order: broken({ options: z.strictObject({ share: z.number() }) }),
  },
];

/** Without what it says of its objective. */
function silent({ changesObjective: _, ...order }: OrderDefinition): OrderDefinition {
  return order;
}

/** Drops the samples that this says of a loss, or of a class; never all of them. */
const dropping = (isDropped: (loss: number, index: number, label: number) => boolean): Partial<EpochOrder> => ({
  coverage: () => "any",
  deviation: "To leave some out is what it is for.",
  readsLedger: true,
  order(context) {
    const { ledger, labels, eligible } = context;
    const indices = sound(context).indices.filter((i) => i === eligible[0] || !isDropped(ledger.loss[i], i, labels[i]));
    return { indices, offsets: cut(indices.length, context.size) };
  },
});
const dropsEasy = dropping((loss) => loss < 1);

describe("another objective is declared", () => {
  const law: Law = "another objective is declared";
  const findingsOf = (order: OrderDefinition) =>
    checkOrder(order)
      .filter((finding) => finding.law === law)
      .map(({ seen, expected }) => [seen, expected]);

  test("one that leaves samples out has to say whether it changes the objective: it is not taken to be silent", () => {
    expect(findingsOf(silent(broken(dropsEasy)))).toEqual([
      [
        "no `changesObjective`, and samples do not come once each",
        "`changesObjective: () => true` where some samples are likelier than others and no weights make up for it, else " +
          "`changesObjective: () => false`",
      ],
    ]);
    expect(checkOrder(broken({ ...dropsEasy, changesObjective: () => true }))).toEqual([]);
    expect(checkOrder(silent(broken({})))).toEqual([]);
  });

  test("one that says no, though it drops samples by their losses, is found out", () => {
    expect(findingsOf(broken(dropsEasy))[0]).toEqual([
      expect.stringMatching(
        /^samples of high losses drawn \d+\.\d times as often as samples of low losses, without weights$/,
      ),
      "as often as the others, or weights, or `changesObjective: () => true`",
    ]);
  });

  test("and one that draws rare classes more often", () => {
    const rare = broken(dropping((_, index, label) => label === 2 && index % 4 !== 0));
    expect(findingsOf(rare)[0]?.[0]).toMatch(
      /^samples of rare classes drawn \d\.\d times as often as samples of the largest class/,
    );
  });
});

describe("each fault names the declaration that would fit", () => {
  const expectedOf = (order: OrderDefinition, law: Law) =>
    checkOrder(order).find((fault) => fault.law === law)?.expected;

  test.each<[string, Law, Partial<EpochOrder>, string]>([
    [
      "samples twice",
      "each sample comes as often as declared",
      { order: (context) => ({ ...sound(context), indices: sound(context).indices.map(() => context.eligible[0]) }) },
      'each-once, or `coverage: () => "any"`',
    ],
    [
      "samples left out",
      "each sample comes as often as declared",
      { ...dropsEasy, coverage: () => "each-once" },
      'each-once, or `coverage: () => "at-most-once"`',
    ],
    [
      "epochs that are alike",
      "epochs differ as declared",
      { order: (context) => sound({ ...context, random: (stream) => context.random(stream, 0) }) },
      "another result, or `changesEachEpoch: () => false`",
    ],
    [
      "seeds that are not alike",
      "seeds differ as declared",
      { dependsOnSeed: () => false, deviation: "none" },
      "the same bits, or `dependsOnSeed: () => true`",
    ],
    [
      "a signal that is not declared",
      "signals are read only when declared",
      {
        readsLedger: true,
        order(context) {
          const { indices, offsets } = sound(context);
          const { loss, margin = loss } = context.ledger;
          return { indices: indices.sort((a, b) => margin[b] - margin[a] || a - b), offsets };
        },
      },
      'every signal that is read: `signals: () => ["margin"]`',
    ],
    ["no reason", "a deviation has its reason", { coverage: () => "at-most-once" }, '`deviation: "…"`, a sentence'],
  ])("%s", (_, law, change, expected) => {
    expect(expectedOf(broken(change), law)).toContain(expected);
  });
});

describe("the suite can fail", () => {
  test("the sound order behind the broken ones keeps the laws", () => {
    expect(checkOrder(broken({}))).toEqual([]);
  });

  test.each(faults)("an order that $fault is found out", ({ order, law }) => {
    const findings = checkOrder(order);
    expect(new Set(findings.map((finding) => finding.law))).toEqual(new Set([law]));
    for (const finding of findings) {
      expect(finding.order).toBe("broken");
      expect(finding.seen).not.toBe("");
      expect(finding.expected).not.toBe("");
    }
  });

  test("a finding says where, what was seen and what was expected", () => {
    const [finding] = checkOrder(
      broken({
        order(context) {
          const { indices } = sound(context);
          return { indices, offsets: Uint32Array.of(0, indices.length) };
        },
      }),
    );
    expect(finding).toEqual({
      order: "broken",
      case: "11 samples in 3 classes, batches of 3",
      options: {},
      law: "no batch is larger than asked for",
      seen: "11 samples in batch 0",
      expected: "at most 3",
    });
  });
});

test("a list of options is tried where one is given", () => {
  const order = defineOrder({
    ...broken({}),
    options: z.strictObject({ share: z.number() }),
    order: broken({}).order,
  });
  expect(checkOrder(order, [{ share: 0.1 }, { share: 1 }])).toEqual([]);
});

describe("a member that throws is a finding, whatever it throws", () => {
  const fail = (what: unknown) => () => {
    throw what;
  };
  const found = (change: Partial<EpochOrder>) => {
    const [{ case: example, law, seen }] = checkOrder(broken(change));
    return { example, law, seen };
  };
  const law = "it returns without an error";

  test.each<[string, Partial<EpochOrder>, string]>([
    ["coverage", { coverage: fail(new Error("no idea")) }, "coverage: Error: no idea"],
    ["signals", { signals: fail(Symbol("oh")) }, "signals: Symbol(oh)"],
    ["changesObjective", { changesObjective: fail("oh") }, "changesObjective: oh"],
    ["changesEachEpoch", { changesEachEpoch: fail(undefined) }, "changesEachEpoch: undefined"],
    ["dependsOnSeed", { dependsOnSeed: fail(Object.create(null)) }, "dependsOnSeed: [Object: null prototype] {}"],
    [
      "options, of the defaults alone",
      {
        options: z
          .strictObject({ a: z.enum(["x", "y"]).optional() })
          .refine(({ a }) => a !== undefined || fail("no")()),
      },
      "options: no",
    ],
    ["options", { options: z.strictObject({}).refine(fail(new Error("no"))) }, "options: Error: no"],
  ])("%s", (_, change, seen) => {
    expect(found(change)).toEqual({ example: "definition", law, seen });
  });

  test("with the options at which it does", () => {
    const options = z.strictObject({ way: z.enum(["a", "b"]).default("a") });
    const signals = ({ way }: z.infer<typeof options>) => (way === "b" ? fail("oh")() : []);
    const order = defineOrder({ ...broken({}), options, signals, order: sound });
    expect(checkOrder(order)).toMatchObject([{ case: "definition", options: { way: "b" }, seen: "signals: oh" }]);
  });

  test.each<[string, Partial<EpochOrder>, string]>([
    ["order", { order: fail(Symbol("oh")) }, "Symbol(oh)"],
    [
      "memory's length",
      { memory: { counts: { dtype: "u8", length: fail(new Error("no idea")) } } },
      "memory: Error: no idea",
    ],
    [
      "memory's length that is none",
      { memory: { counts: { dtype: "u8", length: () => -1 } } },
      "memory: RangeError: Invalid typed array length: -1",
    ],
  ])("%s", (_, change, seen) => {
    expect(found(change)).toEqual({ example: "1 sample, batches of 3", law, seen });
  });

  test.each<[string, Partial<EpochOrder>, string]>([
    ["a symbol for coverage", { coverage: () => Symbol("oh") as never, deviation: "Says so." }, "coverage Symbol(oh)"],
    ["a symbol among signals", { signals: () => [Symbol("oh") as never] }, "signal Symbol(oh)"],
    ["a text for signals", { signals: () => "margin" as never }, "signals margin"],
    ["a text for scores", { scores: () => "loss" as never }, "scores loss"],
    [
      "scores of something else",
      { scores: () => ({ of: "age" as never, epoch: 1 }) },
      "scores { of: 'age', epoch: 1 }",
    ],
    ["scores of half an epoch", { scores: () => ({ of: "loss", epoch: 0.5 }) }, "scores { of: 'loss', epoch: 0.5 }"],
    [
      "forgetting of one epoch",
      { scores: () => ({ of: "forgetting", epoch: 1 }) },
      "scores { of: 'forgetting', epoch: 1 }",
    ],
  ])("%s is no known word", (_, change, seen) => {
    expect(found(change)).toEqual({ example: "definition", law: "coverage, share and signals are known", seen });
  });
});

test("an order that declares sizes of its own is not held to those of the rule", () => {
  const tooLarge = broken({
    order(context) {
      const { indices } = sound(context);
      return { indices, offsets: cut(indices.length, (batch) => context.size(batch) + 1) };
    },
  });
  expect(checkOrder(tooLarge).map(({ law }) => law)).toContain("no batch is larger than asked for");
  expect(checkOrder({ ...tooLarge, ownSizes: true })).toEqual([]);
});
