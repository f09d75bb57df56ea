// Orders that decide each batch: what a choice has seen, and that nothing else comes into it.
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { batchContext, emptyLedger } from "../../src/orders/context.js";
import type { OrderDefinition, OrderResult } from "../../src/orders/contract.js";
import { findOrder } from "../../src/orders/index.js";
import { batchBy } from "../../src/orders/ordered.js";
import { shareOfTests } from "../full-size.js";
import { orderModule } from "../order-files/own-order.js";
import { delayed, type Pretence } from "./fake-backend.js";
import { LOSSES, recorded, stoppedBefore, undisturbed } from "./one-run.js";
import { Scene, type SceneOptions } from "./scene.js";

const N = 24;
const SEED = 4;
const EPOCHS = 3;

/** One arm and one seed of three epochs, in batches of 5 unless told otherwise. */
const runOf = (order: string, more: readonly string[] = []) => [
  `arms={a: {order: ${order}}}`,
  `seeds=[${SEED}]`,
  "checkpoint={everyBatches: 2, leastSeconds: 0}",
  ...more,
];

const loss = LOSSES.loss ?? (() => 0);

interface Recorded {
  readonly indices: readonly number[];
  readonly batches: readonly (readonly number[])[];
  readonly weights: readonly number[] | undefined;
}

const epochOf = (scene: Scene, epoch: number): Recorded => {
  const indices = scene.words(`a/seed-${SEED}/orders/000${epoch}.u32`);
  const { offsets } = JSON.parse(scene.text(`a/seed-${SEED}/orders/000${epoch}.json`));
  const weights = `a/seed-${SEED}/orders/000${epoch}.weights.f32`;
  return {
    indices,
    batches: offsets.slice(1).map((end: number, batch: number) => indices.slice(offsets[batch], end)),
    weights: scene.has(weights) ? scene.floats(weights) : undefined,
  };
};

/** What the rule says, batch by batch, of a ledger that is made here from what was trained on by each step. */
function expected(definition: OrderDefinition, written: Record<string, unknown>, lag: number) {
  const options = definition.options.parse(written);
  const eligible = Uint32Array.from({ length: N }, (_, index) => index);
  const trained: number[][] = [];
  const epochs: OrderResult[][] = [];
  for (let epoch = 0; epoch < EPOCHS; epoch++) {
    const times = new Uint32Array(N);
    const firstStep = trained.length; // before an epoch all losses are known
    const batches: OrderResult[] = [];
    for (let left = N; left > 0; left -= 5) {
      const step = trained.length;
      const ledger = emptyLedger(N);
      for (const [at, indices] of trained.slice(0, Math.max(firstStep, step - lag)).entries()) {
        for (const index of indices) {
          ledger.loss[index] = loss(index, at, SEED);
          ledger.seenAtStep[index] = at;
          ledger.draws[index] += 1;
        }
      }
      const inputs = { options, seed: SEED, epoch, labels: eligible.map((i) => i % 3), classCount: 3, size: 5, ledger };
      const pending = Uint32Array.from(trained.slice(Math.max(firstStep, step - lag)).flat());
      const drawn = { indices: Uint32Array.from(trained.slice(firstStep).flat()), times, pending };
      const place = { batch: batches.length, step, count: Math.min(5, left), drawn, share: 1 - left / N };
      const ordered = batchBy(definition, batchContext({ ...inputs, eligible }, place));
      if ("fault" in ordered) throw new Error(ordered.fault.seen);
      const batch = ordered.result;
      for (const index of batch.indices) times[index] += 1;
      trained.push([...batch.indices]);
      batches.push(batch);
    }
    epochs.push(batches);
  }
  return epochs;
}

describe("the choice for step t sees the losses of steps up to t − 1 − lag, and of the epochs before; no others", () => {
  test.each([
    ["top-loss", {}, 0],
    ["top-loss", { take: "lowest", cover: true }, 1],
    ["top-loss", {}, 4],
    ["weighted", { per: "batch", unbiased: true }, 0],
    ["weighted", { per: "batch", unbiased: true, power: 2 }, 1],
    ["weighted", { per: "batch", cover: true, weights: "rank" }, 2],
  ])("%s %j, lag %d", async (name, options, lag) => {
    const scene = new Scene();
    const written = JSON.stringify({ name, ...options, lag });
    const { client, results } = await scene.run({ settings: runOf(written), pretence: LOSSES });
    expect(results).toMatchObject([{ state: "done" }]);
    for (const [epoch, batches] of expected(findOrder(name), options, lag).entries()) {
      const { batches: seen, weights } = epochOf(scene, epoch);
      expect(seen).toEqual(batches.map(({ indices }) => [...indices]));
      const ofBatches = batches.flatMap((batch) => [...(batch.weights ?? [])]);
      expect(weights).toEqual(ofBatches.length > 0 ? ofBatches : undefined);
    }
    expect(client.sentOf("train").every(({ arrays }) => arrays.learningRates.length === 1)).toBe(true);
    expect(client.mostUnderWay).toBe(lag + 1);
  });

  test("an epoch by lag 0 is none by lag 1", () => {
    const of = (lag: number) =>
      expected(findOrder("top-loss"), {}, lag).map((epoch) => epoch.map(({ indices }) => [...indices]));
    expect(of(0)).not.toEqual(of(1));
  });
});

const WEIGHTED = "{name: weighted, per: batch, unbiased: true, lag: 3}";

test.each(shareOfTests([1, 2, 3, 4], 2))(
  "answers that are late and out of sequence change no bit (%d)",
  async (seed) => {
    const settings = runOf(WEIGHTED);
    const whole = await undisturbed({ settings });
    const { recorded: late, trails } = await undisturbed({ settings, pretence: { ...LOSSES, ...delayed(seed) } });
    expect(late).toEqual(whole.recorded);
    expect(trails).toEqual(whole.trails);
  },
);

/** As the one above it, with another file for each run. */
const BY_TURNS = orderModule(`
  readsLedger: true, coverage: () => "any", changesObjective: () => true, order: undefined,
  memory: { turns: { dtype: "u32", length: () => 1 }, last: { dtype: "f64", length: (n) => n } },
  nextBatch({ eligible, ledger, count, memory, step, drawn }) {
    memory.turns[0] += 1;
    for (let i = 0; i < memory.last.length; i++) if (ledger.loss[i] > 0) memory.last[i] = ledger.loss[i] + memory.last[i] / 2;
    const key = (i) => memory.last[i] + ((i * 7 + memory.turns[0] + drawn.times[i] * 3 + step) % 24) / 24;
    const indices = eligible.slice().sort((a, b) => key(b) - key(a) || a - b).slice(0, count);
    return { indices, offsets: Uint32Array.of(0, count) };
  },`);

describe("a run goes on to the bit, whatever batch it was stopped before", () => {
  const stops = shareOfTests([0, 1, 2, 3, 4, 5, 6, 7, 9, 10, 13, 14], 3);
  const undisturbed = new Map<string, ReturnType<typeof runWhole>>();

  async function runWhole(settings: readonly string[], prepare: (scene: Scene) => void) {
    const scene = new Scene();
    prepare(scene);
    const { client } = await scene.run({ settings, pretence: LOSSES });
    return { files: recorded(scene), trails: client.trails };
  }

  async function same(settings: readonly string[], stop: number, prepare: (scene: Scene) => void = () => {}) {
    const key = settings.join(" ");
    const whole = undisturbed.get(key) ?? runWhole(settings, prepare);
    undisturbed.set(key, whole);
    const { files, trails } = await whole;
    const scene = await stoppedBefore(stop, settings, prepare);
    const { results, clients } = await scene.run({ settings, pretence: LOSSES });
    expect(results).toMatchObject([{ state: "done" }]);
    expect(clients[0].trails).toEqual(trails);
    expect(recorded(scene)).toEqual(files);
    return clients[0].sentOf("load").map(({ fields }) => fields.step);
  }

  test.each(stops)("drawn anew, by lag 3 and with weights; before step %d", async (stop) => {
    const loads = await same(runOf(WEIGHTED), stop);
    expect(loads.length).toBe(Number(stop > 0));
  });

  test.each(stops)("greedy, each sample once, as a placebo, by scoring passes; before step %d", async (stop) => {
    await same(runOf("{name: top-loss, cover: true, placebo: true, signal: rescore, lag: 0}"), stop);
  });

  test.each([4, 7, 11])(
    "by ranks of a sort some batches ago, or a sequence of the whole run; before step %d",
    async (stop) => {
      await same(runOf("{name: loshchilov-hutter, tSort: 3}"), stop);
      await same(runOf("{name: curriculum, sort: random, per: batch}"), stop);
    },
  );

  test.each([3, 8, 11])("of a user's file, with a memory; before step %d", async (stop) => {
    await same(runOf("{file: ./mine.mjs, lag: 2}"), stop, (scene) => scene.write("mine.mjs", BY_TURNS));
  });
});

/** Says when it decides on a batch of this step, and is at it for a while. */
const DECIDING = orderModule(`
  readsLedger: true, coverage: () => "any", changesObjective: () => true, order: undefined,
  memory: { turns: { dtype: "u32", length: () => 1 } },
  nextBatch({ eligible, count, memory, step }) {
    memory.turns[0] += 1;
    const from = memory.turns[0] % 10;
    if (step === 7) { console.log("deciding"); Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500); }
    return { indices: eligible.slice(from, from + count), offsets: Uint32Array.of(0, count) };
  },`);

test.each([0, 1, 3])(
  "stopped while a user's order decides, by lag %d: goes on behind what was trained, to the bit",
  async (lag) => {
    const settings = runOf(`{file: ./mine.mjs, lag: ${lag}}`);
    const whole = new Scene();
    whole.write("mine.mjs", DECIDING);
    const { client } = await whole.run({ settings, pretence: LOSSES });
    const scene = new Scene();
    scene.write("mine.mjs", DECIDING);
    const abort = new AbortController();
    const log = (line: string) => {
      if (line.includes("deciding")) abort.abort();
    };
    const { error, clients } = await scene.run({ settings, pretence: LOSSES, abort, log });
    expect(error).toMatchObject({ message: expect.stringContaining("interrupted") });
    const trained = clients[0].trajectory.length;
    const again = await scene.run({ settings, pretence: LOSSES });
    expect(again.client.sentOf("load").map(({ fields }) => fields.step)).toEqual([trained]);
    expect(again.client.trails).toEqual(client.trails);
    expect(recorded(scene)).toEqual(recorded(whole));
  },
);

/** The samples that were drawn least often, over all epochs, each once an epoch. */
const LEAST_DRAWN = orderModule(`
  readsLedger: true, coverage: () => "each-once", order: undefined,
  nextBatch({ eligible, ledger, count, drawn }) {
    const left = eligible.filter((i) => drawn.times[i] === 0);
    const key = (i) => ledger.draws[i] + (ledger.loss[i] || 0) / 100;
    return { indices: left.sort((a, b) => key(a) - key(b) || a - b).slice(0, count), offsets: Uint32Array.of(0, count) };
  },`);

test.each([7, 8])(
  "a placebo shows a user's file the draws as they are, also behind a resume before step %d",
  async (stop) => {
    const settings = runOf("{file: ./mine.mjs, lag: 0, placebo: true}");
    const whole = new Scene();
    whole.write("mine.mjs", LEAST_DRAWN);
    await whole.run({ settings, pretence: LOSSES });
    const scene = await stoppedBefore(stop, settings, (prepared) => prepared.write("mine.mjs", LEAST_DRAWN));
    await scene.run({ settings, pretence: LOSSES });
    expect(recorded(scene)).toEqual(recorded(whole));
    expect(recorded(scene)).not.toEqual({});
  },
);

test("a run that diverged has no plan of the epoch in which it did; a replay of it is refused", async () => {
  const diverging: Pretence = { loss: (index, step) => (step >= 7 ? Number.NaN : loss(index, step, SEED)) };
  const scene = new Scene();
  const { results } = await scene.run({ settings: runOf("{name: top-loss, lag: 3}"), pretence: diverging });
  expect(results).toMatchObject([{ state: "diverged", divergedAtStep: 7 }]);
  expect(scene.files(`a/seed-${SEED}/orders`).map((file) => file.split("/").at(-1))).toEqual([
    ...["0000.json", "0000.u32", "0001.u32"],
  ]);
  const order = `{replay: ${JSON.stringify(join(scene.directory, `a/seed-${SEED}`))}}`;
  await expect(new Scene().run({ settings: runOf(order, ["epochs=2"]) })).rejects.toThrow("has the orders of 1 epochs");
});

test("a user's file sees what one of ours sees, through its thread", async () => {
  const scene = new Scene();
  scene.write(
    "mine.mjs",
    orderModule(`
  readsLedger: true, coverage: () => "any", changesObjective: () => true, order: undefined,
  nextBatch({ eligible, ledger, count, step, batch, epoch, progress, drawn }) {
    const seen = Array.from(eligible, (i) => [ledger.loss[i], ledger.seenAtStep[i], ledger.draws[i], ledger.correct[i], drawn.times[i]]);
    console.log(JSON.stringify({ step, batch, epoch, progress, seen, drawn: [...drawn.indices] }));
    return { indices: eligible.slice(step % 3, (step % 3) + count), offsets: Uint32Array.of(0, count) };
  },`),
  );
  await scene.run({ settings: runOf("{file: ./mine.mjs, lag: 1}"), pretence: LOSSES });
  const told = [...scene.text("log.txt").matchAll(/order \.\/mine\.mjs: (\{.*\})/g)].map(([, line]) =>
    JSON.parse(line),
  );
  const trained = [0, 1, 2].flatMap((epoch) => epochOf(scene, epoch).batches);
  expect(told.length).toBe(trained.length);
  for (const { step, batch, epoch, progress, seen, drawn } of told) {
    expect(progress).toBeCloseTo((epoch + (5 * batch) / N) / 3, 12);
    expect([epoch, batch]).toEqual([Math.floor(step / 5), step % 5]);
    const before = trained.slice(0, Math.max(5 * epoch, step - 1));
    const ofEpoch = trained.slice(5 * epoch, step).flat();
    expect(drawn).toEqual(ofEpoch);
    for (let index = 0; index < N; index++) {
      const last = before.findLastIndex((indices) => indices.includes(index));
      const lastLoss = last === -1 ? null : Math.fround(loss(index, last, SEED));
      const draws = before.filter((indices) => indices.includes(index)).length;
      const times = ofEpoch.filter((drawnIndex) => drawnIndex === index).length;
      expect(seen[index], `sample ${index} at step ${step}`).toEqual([
        lastLoss,
        last,
        draws,
        last === -1 ? 255 : seen[index][3],
        times,
      ]);
    }
  }
});

test("its batches are on record before they are sent", async () => {
  const scene = new Scene();
  const lengths: [number, number][] = [];
  const before: Pretence["before"] = (message) => {
    if (message.type !== "train") return;
    const epoch = Math.floor(message.fields.firstStep / 5);
    const path = join(scene.directory, `a/seed-${SEED}/orders/000${epoch}.u32`);
    const samples = Math.min(N, 5 * ((message.fields.firstStep % 5) + 1));
    lengths.push([existsSync(path) ? statSync(path).size / 4 : 0, samples]);
  };
  await scene.run({ settings: runOf("{name: top-loss, lag: 0}"), pretence: { ...LOSSES, before } });
  expect(lengths.length).toBe(15);
  for (const [recordedSamples, sent] of lengths) expect(recordedSamples).toBe(sent);
});

test("a replay of such a run trains on the same, at the same rates, without the order", async () => {
  const scene = new Scene();
  const more = ["schedule={name: cosine, learningRate: 0.1}", "batching={name: linear, from: 3, to: 7, per: batch}"];
  const settings = runOf(WEIGHTED, more);
  const { client } = await scene.run({ settings, pretence: LOSSES });
  const again = new Scene();
  const order = `{replay: ${JSON.stringify(join(scene.directory, `a/seed-${SEED}`))}}`;
  const replayed = await again.run({ settings: runOf(order, more), pretence: LOSSES });
  expect(replayed.results).toMatchObject([{ state: "done" }]);
  expect(replayed.client.trails).toEqual(client.trails);
  const plans = (of: Scene) => [0, 1, 2].map((epoch) => of.text(`a/seed-${SEED}/orders/000${epoch}.json`));
  expect(plans(again)).toEqual(plans(scene));
});

test("monitors: of fair draws each batch is as good as its epoch; of the greedy, the collapse is seen", async () => {
  const of = async (order: string, options: SceneOptions = {}) => {
    const scene = new Scene();
    await scene.run({ settings: runOf(order), pretence: LOSSES, ...options });
    return scene.metrics("a", SEED).map(({ order: monitors }) => monitors);
  };
  const uniform = await of("{name: weighted, per: batch, weights: uniform, unbiased: true}");
  expect(uniform[2]).toMatchObject({
    effectiveDataSize: N,
    meanInverseInclusion: 1,
    meanWeight: 1,
    effectiveSampleSize: N,
  });
  const easiest: Pretence = { loss: (index) => index };
  const greedy = await of("{name: top-loss, take: lowest, lag: 0}", { pretence: easiest });
  expect(greedy[2]).toMatchObject({ distinct: 5, mostDrawn: 5 });
  expect(greedy[2]).not.toHaveProperty("effectiveDataSize");
  const covering = await of("{name: top-loss, cover: true, lag: 0}", { pretence: easiest });
  expect(covering[2]).toMatchObject({ distinct: N, mostDrawn: 1 });
});

describe("a batch that breaks a law stops the run, named with order, step and what was seen", () => {
  const batchOf = (statements: string) =>
    orderModule(`
  readsLedger: true, coverage: () => "at-most-once", changesObjective: () => true, order: undefined,
  nextBatch({ eligible, count, step, drawn }) {
    const sound = { indices: eligible.filter((i) => drawn.times[i] === 0).slice(0, count), offsets: Uint32Array.of(0, count) };
    if (step < 7) return sound;
    ${statements}
  },`);

  test.each([
    ["an index out of range", "sound.indices[1] = 24; return sound;", "(indices are eligible): seen 24 of 24"],
    [
      "one twice in it",
      "sound.indices[1] = sound.indices[0]; return sound;",
      "(each sample comes as often as declared): seen sample 10 twice, expected at-most-once",
    ],
    [
      "one of a batch before",
      "sound.indices[0] = drawn.indices[0]; return sound;",
      "seen sample 0 twice, in a batch before, expected at-most-once",
    ],
    [
      "too few",
      "return { indices: sound.indices.slice(1), offsets: Uint32Array.of(0, count - 1) };",
      "(a batch is as large as asked for): seen 4 samples, offsets 0, 4, expected 5 samples, offsets 0, 5",
    ],
    [
      "too many batches",
      "return { ...sound, offsets: Uint32Array.of(0, 2, count) };",
      "seen 5 samples, offsets 0, 2, 5, expected 5 samples",
    ],
    [
      "NaN weights",
      "return { ...sound, weights: new Float32Array(count).fill(NaN) };",
      "(all batches of an epoch have weights, or none): seen a batch with weights, expected no weights, as before",
    ],
    [
      "a promise",
      "return Promise.resolve(sound);",
      "(the result has the right types): seen a Promise, expected { indices, offsets }, returned at once",
    ],
    [
      "an effective size that is none",
      "return { ...sound, effectiveDataSize: 25 };",
      "(an effective size is at least 1): seen 25, expected 1 … 24",
    ],
  ])("%s", async (_, statements, message) => {
    const scene = new Scene();
    scene.write("mine.mjs", batchOf(statements));
    const { results } = await scene.run({ settings: runOf("{file: ./mine.mjs, lag: 1}"), pretence: LOSSES });
    expect(results).toMatchObject([{ state: "failed" }]);
    expect(results[0].error).toMatch(/^order mine in epoch 2, step 7 breaks a law of orders \(/);
    expect(results[0].error).toContain(message);
  });

  test("NaN weights in the first batch", async () => {
    const scene = new Scene();
    const module = batchOf("").replace("if (step < 7) return sound;", "");
    scene.write(
      "mine.mjs",
      module.replace("  },", "return { ...sound, weights: new Float32Array(count).fill(NaN) };\n  },"),
    );
    const { results } = await scene.run({ settings: runOf("./mine.mjs"), pretence: LOSSES });
    expect(results[0].error).toContain("(weights are finite and positive): seen NaN at place 0");
  });

  test.each([
    [
      "throws",
      "throw new RangeError('too hard');",
      /^order mine in epoch 2, step 7 failed: RangeError: too hard \(mine\.mjs:\d+\)$/,
    ],
    [
      "loops for ever",
      "for (;;);",
      /^order mine in epoch 2, step 7 failed: \S+mine\.mjs gave no answer within 1 s \(backend\.orderSeconds\)$/,
    ],
  ])("it %s; and the same command goes on from the last checkpoint", async (_, statements, message) => {
    const scene = new Scene();
    const settings = runOf("{file: ./mine.mjs, lag: 1}", ["backend.orderSeconds=1"]);
    scene.write("mine.mjs", batchOf(statements));
    const { results } = await scene.run({ settings, pretence: LOSSES });
    expect(results).toMatchObject([{ state: "failed", error: expect.stringMatching(message) }]);
    const { client } = await scene.run({ settings, pretence: LOSSES });
    expect(client.sentOf("load")).toHaveLength(1); // which one is there is as the disk was
  });
});

test.each([
  ["{name: weighted, lag: 0}", "order weighted makes whole epochs with these options: leave lag out"],
  ["{name: loss-global, lag: 0}", "lag"],
  ["{name: top-loss, lag: 9}", "at most 8"],
  ["{name: weighted, per: batch, sequence: drawn}", "is for per: epoch; within a batch there is none"],
  ["{name: weighted, cover: true}", "is for per: batch"],
  ["{name: weighted, per: batch, cover: true, unbiased: true}", "is not for cover"],
  ["{name: top-loss, placebo: true}", "no control of it; take an order that draws each once (cover: true)"],
  ["{name: weighted, per: batch, placebo: true}", "no control of it"],
  [
    "{name: selective-backprop, losses: stale, placebo: true}",
    "leaves samples out, and is not told which ones were never seen: it would draw them later than without placebo, and is no " +
      "control of it; take as the control a replay of its run with exchange: samples, or in both arms signal: rescore",
  ],
])("%s is refused", async (order, what) => {
  await expect(new Scene().run({ settings: runOf(order) })).rejects.toThrow(what);
});
