// Candidates of a batch: when they are scored, what a choice is told of them, and that nothing else comes into it.
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { consecutive } from "../../src/kernels/consecutive.js";
import { random } from "../../src/kernels/random.js";
import { shuffled } from "../../src/kernels/shuffle.js";
import { shareOfTests } from "../full-size.js";
import { orderModule } from "../order-files/own-order.js";
import { delayed, madeUp, type Pretence } from "./fake-backend.js";
import { recorded, undisturbed } from "./one-run.js";
import { Scene } from "./scene.js";

const N = 24;
const SEED = 4;
const EPOCHS = 3;
/** Of an epoch: 12 samples in batches of 5, 5 and 2. */
const BATCHES = 3;
const FACTOR = 2;

const runOf = (order: string, more: readonly string[] = []) => [
  `arms={a: {order: ${order}}}`,
  `seeds=[${SEED}]`,
  "checkpoint={everyBatches: 2, leastSeconds: 0}",
  ...more,
];

/** Another ranking after each step, and another one in scoring than in training. */
const scoredLoss = (index: number, step: number) =>
  1 + ((7 * index + 5 * step + ((index * index * (step + 1)) % 13)) % 29) / 8;
const LOSSES: Pretence = { loss: (index, step) => 1 + ((7 * index + 3 * step) % 11) / 8, scoredLoss };

const batchesOf = (scene: Scene, epoch: number): number[][] => {
  const indices = scene.words(`a/seed-${SEED}/orders/000${epoch}.u32`);
  const { offsets } = JSON.parse(scene.text(`a/seed-${SEED}/orders/000${epoch}.json`));
  return offsets.slice(1).map((end: number, batch: number) => indices.slice(offsets[batch], end));
};
const allBatches = (scene: Scene) => [0, 1, 2].map((epoch) => batchesOf(scene, epoch));

/** What an epoch's batches are by the definition: the highest of each part of its shuffle, scored so many steps before. */
function expected(epoch: number, lag: number): number[][] {
  const shuffle = shuffled(consecutive(N), random(SEED, "order", epoch));
  return [5, 5, 2].map((count, batch) => {
    const step = BATCHES * epoch + Math.max(0, batch - lag);
    const pool = [...shuffle.slice(5 * FACTOR * batch, 5 * FACTOR * batch + FACTOR * count)];
    const of = (index: number) => scoredLoss(index, step);
    return pool.sort((a, b) => of(b) - of(a) || pool.indexOf(a) - pool.indexOf(b)).slice(0, count);
  });
}

/** Chooses as `pool` does, in a user's thread, and with a memory: turns by turns another of the ties comes first. */
const MINE = orderModule(`
  readsLedger: true, coverage: () => "at-most-once", changesObjective: () => true, epochShare: () => 1 / 2, order: undefined,
  changesEachEpoch: () => true, dependsOnSeed: () => true,
  signals: () => ["margin"],
  memory: { seen: { dtype: "f64", length: (n) => n }, turns: { dtype: "u32", length: () => 1 } },
  candidates: ({ shuffle, first, count }) => shuffle.slice(2 * first, 2 * (first + count)),
  nextBatch({ pool, ledger, count, memory, step }) {
    memory.turns[0] += 1;
    pool.indices.forEach((index, at) => { memory.seen[index] = pool.loss[at] + memory.seen[index] / 2 + pool.margin[at] / 64; });
    const key = (i) => memory.seen[i] + (ledger.loss[i] || 0) + ((i * 7 + memory.turns[0] + step) % 24) / 24;
    const indices = Uint32Array.from(pool.indices).sort((a, b) => key(b) - key(a) || a - b).slice(0, count);
    return { indices, offsets: Uint32Array.of(0, count) };
  },`);

const ORDERS = [
  ["of ours, lag 0", "{name: pool, lag: 0}"],
  ["of ours, lag 1", "{name: pool}"],
  ["of ours, lag 3, as a placebo", "{name: pool, lag: 3, by: el2n, take: lowest, placebo: true}"],
  ["selective-backprop, lag 2", "{name: selective-backprop, history: 16, lag: 2}"],
  ["importance, weighted, lag 1", "{name: importance, when: always}"],
  ["of a user's file, lag 0", "{file: ./mine.mjs, lag: 0, placebo: true}"],
  ["of a user's file, lag 1", "{file: ./mine.mjs}"],
  ["of a user's file, lag 3", "{file: ./mine.mjs, lag: 3}"],
] as const;
/** Stopped before each kind of step; the others before two of them. */
const isAtEach = (order: string) => order === "{name: pool}";
const EACH_STEP = [
  ...[0, 1, 4, 5, 6, 8].map((step) => ["training on step", step] as const),
  ...[0, 2, 4, 5, 8].map((step) => ["scoring for step", step] as const),
];
const prepare = (scene: Scene) => void scene.write("mine.mjs", MINE);

describe.each([0, 1, 2, 5])("with lag %d", (lag) => {
  test("a batch is the best of its candidates, by the weights after so many steps fewer", async () => {
    const scene = new Scene();
    const { results } = await scene.run({ settings: runOf(`{name: pool, lag: ${lag}}`), pretence: LOSSES });
    expect(results).toMatchObject([{ state: "done" }]);
    expect(allBatches(scene)).toEqual([0, 1, 2].map((epoch) => expected(epoch, lag)));
  });

  test("candidates are scored behind the training that a choice knows of; where it can be, before the next one", async () => {
    const scene = new Scene();
    const { client } = await scene.run({ settings: runOf(`{name: pool, lag: ${lag}}`), pretence: LOSSES });
    const work = client.sent.filter(({ type }) => type === "train" || type === "score");
    const trainedBefore = work.flatMap(({ type }, at) =>
      type === "score" ? [work.slice(0, at).filter((message) => message.type === "train").length] : [],
    );
    const wanted = Array.from({ length: EPOCHS * BATCHES }, (_, step) => {
      const first = step - (step % BATCHES);
      return Math.max(first, step - lag);
    });
    expect(trainedBefore).toEqual(wanted);
    expect(client.mostUnderWay).toBe(Math.min(lag + 1, BATCHES));
    expect(client.sentOf("score").map(({ fields }) => fields.signals)).toContainEqual([
      "loss",
      "correct",
      "prediction",
    ]);
  });
});

test("epochs by other lags are other ones, and the candidates of an epoch are all samples, once each", async () => {
  expect(expected(1, 0)).not.toEqual(expected(1, 1));
  expect(expected(1, 1)).not.toEqual(expected(1, 2));
  const { client } = await new Scene().run({ settings: runOf("{name: pool}"), pretence: LOSSES });
  const asked = client.sentOf("score").map(({ arrays }) => [...arrays.indices]);
  for (const epoch of [0, 1, 2]) {
    const ofEpoch = asked.slice(BATCHES * epoch, BATCHES * (epoch + 1)).flat();
    expect(ofEpoch.sort((a, b) => a - b)).toEqual([...consecutive(N)]);
  }
});

test("what is scored is counted, in samples and seconds; the ledger learns nothing of it", async () => {
  const scene = new Scene();
  const told = "console.log(JSON.stringify([step, ...eligible.filter((i) => ledger.seenAtStep[i] >= 0)]));";
  scene.write(
    "mine.mjs",
    MINE.replace("nextBatch({ pool,", "nextBatch({ eligible, pool,").replace("memory.turns", `${told} memory.turns`),
  );
  const seconds: Pretence["seconds"] = ({ type }) => ({ train: 0.5, score: 0.25 })[type as string] ?? 0;
  await scene.run({ settings: runOf("{file: ./mine.mjs, lag: 0}"), pretence: { ...LOSSES, seconds } });
  expect(scene.metrics("a", SEED).map(({ scored, samples }) => [scored, samples])).toEqual(Array(3).fill([N, N / 2]));
  const timings = scene
    .text(`a/seed-${SEED}/timings.jsonl`)
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(timings.map(({ scoringSeconds }) => scoringSeconds)).toEqual([0.75, 0.75, 0.75]);
  expect(timings.map(({ trainingSeconds }) => trainingSeconds)).toEqual([1.5, 1.5, 1.5]);
  const seen = [...scene.text("log.txt").matchAll(/order \.\/mine\.mjs: (\[.*\])/g)].map(([, line]) =>
    JSON.parse(line),
  );
  expect(seen).toHaveLength(EPOCHS * BATCHES);
  const trained = allBatches(scene).flat();
  for (const [step, ...known] of seen) {
    expect(known).toEqual([...new Set(trained.slice(0, step).flat())].sort((a, b) => a - b));
  }
});

interface Whole {
  readonly files: ReturnType<typeof recorded>;
  readonly trails: readonly string[];
  /** What replays it. */
  readonly replayed: readonly string[];
  readonly scoredInReplay: number;
}

/** Runs that nothing disturbed, and a replay of each. */
const WHOLE = new Map<string, Promise<Whole>>();

async function runWhole(order: string): Promise<Whole> {
  const scene = new Scene();
  prepare(scene);
  const { client } = await scene.run({ settings: runOf(order), pretence: LOSSES });
  const replay = runOf(`{replay: ${JSON.stringify(join(scene.directory, `a/seed-${SEED}`))}}`);
  const { client: again } = await new Scene().run({ settings: replay, pretence: LOSSES });
  const { trails } = client;
  return { files: recorded(scene), trails, replayed: again.trails, scoredInReplay: again.sentOf("score").length };
}

function wholeOf(order: string): Promise<Whole> {
  const whole = WHOLE.get(order) ?? runWhole(order);
  WHOLE.set(order, whole);
  return whole;
}

describe.each(ORDERS)("%s", (_, order) => {
  const settings = runOf(order);

  test("a replay trains on the same without the order, and scores nothing", async () => {
    const { trails, replayed, scoredInReplay } = await wholeOf(order);
    expect(replayed).toEqual(trails);
    expect(scoredInReplay).toBe(0);
  });

  test.each(shareOfTests([1, 2], 2))("answers that are late and out of sequence change no bit (%d)", async (seed) => {
    const { files, trails } = await wholeOf(order);
    const scene = new Scene();
    prepare(scene);
    const { client } = await scene.run({ settings, pretence: { ...LOSSES, ...delayed(seed) } });
    expect(recorded(scene)).toEqual(files);
    expect(client.trails).toEqual(trails);
  });

  test.each(isAtEach(order) ? shareOfTests(EACH_STEP, 2) : [EACH_STEP[2], EACH_STEP[9]])(
    "stopped before %s %d, it goes on to the bit",
    async (what, place) => {
      const { files, trails } = await wholeOf(order);
      const scene = new Scene();
      prepare(scene);
      const abort = new AbortController();
      let scores = 0;
      const before: Pretence["before"] = (message) => {
        const step = message.type === "train" ? message.fields.firstStep : message.type === "score" ? scores++ : -1;
        const isMeant = message.type === (what === "scoring for step" ? "score" : "train");
        if (isMeant && step >= place) abort.abort();
      };
      const stopped = await scene.run({ settings, pretence: { ...LOSSES, before }, abort });
      const trained = stopped.client.trajectory.length;
      const again = await scene.run({ settings, pretence: LOSSES });
      expect(again.results).toMatchObject([{ state: "done" }]);
      expect(again.client.sentOf("load").map(({ fields }) => fields.step)).toEqual(trained === 0 ? [] : [trained]);
      expect(again.client.trails).toEqual(trails);
      expect(recorded(scene)).toEqual(files);
    },
  );

  test("stopped while scores are on their way, and a batch is trained on behind them: it goes on from that batch", async () => {
    const { files, trails } = await wholeOf(order);
    const scene = new Scene();
    prepare(scene);
    const abort = new AbortController();
    let scores = 0;
    const delivers: Pretence["delivers"] = async ({ type }) => {
      if (type !== "score" || ++scores !== 6) return;
      for (let turn = 0; turn < 20; turn++) await setImmediate();
      abort.abort();
    };
    const stopped = await scene.run({ settings, pretence: { ...LOSSES, delivers }, abort });
    const again = await scene.run({ settings, pretence: LOSSES });
    const trained = stopped.client.trajectory.length;
    expect(trained).toBeGreaterThan(0);
    expect(again.client.sentOf("load").map(({ fields }) => fields.step)).toEqual([trained]);
    expect(again.client.trails).toEqual(trails);
    expect(recorded(scene)).toEqual(files);
  });

  test("killed where no last checkpoint can be taken, it goes on from the one before, to the bit", async () => {
    const { files, trails } = await wholeOf(order);
    const scene = new Scene();
    prepare(scene);
    let scores = 0;
    const before: Pretence["before"] = (message, backend) => {
      if (message.type === "score" && ++scores === 8) backend.fail(new Error("gone"));
    };
    await scene.run({ settings, pretence: { ...LOSSES, before } });
    const again = await scene.run({ settings, pretence: LOSSES });
    expect(again.client.sentOf("load")).toHaveLength(1);
    expect(again.client.trails).toEqual(trails);
    expect(recorded(scene)).toEqual(files);
  });
});

test("in a user's thread the choice is what it is in ours", async () => {
  const scene = new Scene();
  const highest = "const of = new Map([...pool.indices].map((index, at) => [index, pool.loss[at]]));";
  const choice = "const key = (i) => of.get(i);";
  scene.write("mine.mjs", MINE.replace(/const key = .*/, `${highest} ${choice}`).replace("|| a - b", ""));
  await scene.run({ settings: runOf("{file: ./mine.mjs}"), pretence: LOSSES });
  expect(allBatches(scene)).toEqual([0, 1, 2].map((epoch) => expected(epoch, 1)));
});

test("a placebo gives each candidate's scores to another one, anew for each batch", async () => {
  const tell =
    "console.log(JSON.stringify([step, [...pool.indices], [...pool.loss], [...pool.margin], [...pool.correct], [...pool.prediction]]));";
  const told = async (more: string) => {
    const scene = new Scene();
    scene.write("mine.mjs", MINE.replace("memory.turns[0] += 1;", tell));
    const pretence = { ...LOSSES, prediction: (index: number) => index };
    await scene.run({ settings: runOf(`{file: ./mine.mjs, lag: 0${more}}`), pretence });
    const lines = [...scene.text("log.txt").matchAll(/order \.\/mine\.mjs: (\[.*\])/g)];
    return lines.map(([, line]) => JSON.parse(line));
  };
  const as = await told("");
  const permuted = await told(", placebo: true");
  expect(as).toHaveLength(EPOCHS * BATCHES);
  const moves: string[] = [];
  for (const [at, [step, indices, loss, margin, correct, prediction]] of permuted.entries()) {
    expect(indices).toEqual(as[at][1]);
    // Whose they are is what was predicted.
    for (const [place, owner] of prediction.entries()) {
      expect(loss[place]).toBe(Math.fround(scoredLoss(owner, step)));
      expect(correct[place]).toBe(owner % 2);
      expect(margin[place]).toBe(madeUp.margin(owner, step));
    }
    expect([...prediction].sort()).toEqual([...indices].sort());
    moves.push(prediction.map((owner: number) => indices.indexOf(owner)).join(" "));
  }
  expect(as.every(([, indices, , , , prediction]) => String(indices) === String(prediction))).toBe(true);
  expect(new Set(moves).size).toBeGreaterThan(EPOCHS * BATCHES - 2);
});

test.each([
  ["el2n", false],
  ["el2n", true],
  ["entropy", true],
])(
  "by %s, which rises with the index, with placebo: %s: a batch is the best of its candidates, unless permuted",
  async (by, placebo) => {
    const scene = new Scene();
    const { results } = await scene.run({
      settings: runOf(`{name: pool, by: ${by}, placebo: ${placebo}}`),
      pretence: LOSSES,
    });
    expect(results).toMatchObject([{ state: "done" }]);
    const best = [0, 1, 2].map((epoch) => {
      const shuffle = [...shuffled(consecutive(N), random(SEED, "order", epoch))];
      return [5, 5, 2].map((count, batch) => {
        const pool = shuffle.slice(5 * FACTOR * batch, 5 * FACTOR * batch + FACTOR * count);
        return pool.sort((a, b) => b - a).slice(0, count);
      });
    });
    const drawn = allBatches(scene);
    if (!placebo) expect(drawn).toEqual(best);
    // Of nine batches one or two may be the best by chance.
    const isBest = drawn.flatMap((batches, epoch) =>
      batches.map((batch, at) => String([...batch].sort((a, b) => b - a)) === String(best[epoch][at])),
    );
    expect(isBest.filter(Boolean).length < 3).toBe(placebo);
  },
);

describe("candidates whose loss is not finite end the run as diverged", () => {
  test.each([
    [0, 4],
    [1, 5],
  ])("with lag %d at the step that was to choose from them", async (lag, at) => {
    const diverging: Pretence = {
      ...LOSSES,
      scoredLoss: (index, step) => (step >= 4 ? Number.NaN : scoredLoss(index, step)),
    };
    const scene = new Scene();
    const { results } = await scene.run({ settings: runOf(`{name: pool, lag: ${lag}}`), pretence: diverging });
    expect(results).toMatchObject([{ state: "diverged", divergedAtStep: at }]);
  });

  test("unless a batch shows it before", async () => {
    const diverging: Pretence = {
      loss: (_, step) => (step >= 4 ? Number.NaN : 1),
      scoredLoss: (index, step) => (step >= 4 ? Number.NaN : scoredLoss(index, step)),
    };
    const { results } = await new Scene().run({ settings: runOf("{name: pool, lag: 1}"), pretence: diverging });
    expect(results).toMatchObject([{ state: "diverged", divergedAtStep: 4 }]);
  });
});

describe("candidates that break a law stop the run, named with order, step and what was seen", () => {
  const named = (statements: string) =>
    MINE.replace(
      /candidates: .*/,
      `candidates({ shuffle, first, count, step }) {
      const sound = shuffle.slice(2 * first, 2 * (first + count));
      if (step < 4) return sound;
      ${statements}
    },`,
    );

  test.each([
    ["out of range", "sound[1] = 24; return sound;", "(candidates are eligible): seen 24 of 24"],
    ["twice", "sound[3] = sound[1]; return sound;", "(each candidate comes once): seen sample"],
    ["too few", "return sound.slice(0, count - 1);", "seen 4 candidates, expected at least 5"],
    ["an Array", "return [...sound];", "(candidates are a Uint32Array): seen an Array of 10"],
    ["a promise", "return Promise.reject(new Error('late'));", "seen a Promise, expected a Uint32Array"],
  ])("%s", async (__, statements, message) => {
    const scene = new Scene();
    scene.write("mine.mjs", named(statements));
    const { results } = await scene.run({ settings: runOf("{file: ./mine.mjs, lag: 1}"), pretence: LOSSES });
    expect(results[0]).toMatchObject({ state: "failed" });
    expect(results[0].error).toMatch(/^order mine in epoch 2, step 4 \(candidates\) breaks a law of orders \(/);
    expect(results[0].error).toContain(message);
  });

  test("what it throws is told with its line; the same command goes on from the last checkpoint", async () => {
    const scene = new Scene();
    scene.write("mine.mjs", named("throw new RangeError('none left');"));
    const settings = runOf("{file: ./mine.mjs, lag: 1}");
    const { results } = await scene.run({ settings, pretence: LOSSES });
    expect(results[0].error).toMatch(
      /^order mine in epoch 2, step 4 \(candidates\) failed: RangeError: none left \(mine\.mjs:\d+\)$/,
    );
    const { client } = await scene.run({ settings, pretence: LOSSES });
    expect(client.sentOf("load")).toHaveLength(1);
  });
});

test.each([
  ["{name: pool, lag: 9}", "at most 8"],
  ["{name: pool, by: mean-loss}", "by"],
  ["{name: pool, factor: 0}", "factor"],
  ["{name: pool, signal: rescore}", "order.signal: order pool chooses by the scores of its candidates alone"],
  ["{name: pool, start: scored}", "leave start out"],
  ["{name: importance, meanDecay: 0}", "leave meanDecay out"],
  ["{name: selective-backprop, signal: rescore, every: 2}", "order.signal"],
])("%s is refused", async (order, what) => {
  await expect(new Scene().run({ settings: runOf(order) })).rejects.toThrow(what);
});

test.each([
  "{name: selective-backprop, losses: stale, signal: rescore, every: 2}",
  "{name: pool, signal: training, every: 1, start: shuffled}",
])("%s is taken: it is looked at, or costs nothing", async (order) => {
  const { results } = await new Scene().run({ settings: runOf(order) });
  expect(results).toMatchObject([{ state: "done" }]);
});

test("an order that says it ignores the ledger is shown none", async () => {
  const scene = new Scene();
  const ignoring = MINE.replace("readsLedger: true,", "readsLedger: true, ignoresLedger: () => true,");
  scene.write("mine.mjs", ignoring);
  const { results } = await scene.run({ settings: runOf("./mine.mjs") });
  expect(results[0]).toMatchObject({ state: "failed" });
  expect(results[0].error).toContain("ledger.loss is read, though ignoresLedger says that none of it is");
});

test("candidates of an order that says it reads nothing are refused", async () => {
  const scene = new Scene();
  scene.write("mine.mjs", MINE.replace("readsLedger: true", "readsLedger: false"));
  await expect(scene.run({ settings: runOf("./mine.mjs") })).rejects.toThrow(
    "readsLedger is false beside candidates, expected true",
  );
});

test("undisturbed, the same seed gives the same bits", async () => {
  const settings = runOf("{name: pool}");
  expect(await undisturbed({ settings, pretence: LOSSES })).toEqual(await undisturbed({ settings, pretence: LOSSES }));
});
