// Runs whose length is a budget: they end where it is reached, with their schedules, and go on to the bit.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { describe, expect, test } from "vitest";
import { armHash, experimentHash } from "../../src/config/config.js";
import { readStatus } from "../../src/experiment/experiment-status.js";
import { forwardEquivalents } from "../../src/record/work.js";
import { readResults } from "../../src/results/recorded-results.js";
import { orderModule } from "../order-files/own-order.js";
import { LOSSES, recorded, stoppedBefore, undisturbed } from "./one-run.js";
import { CONFIG, resolved, Scene } from "./scene.js";

const N = 24;
const COSINE = "schedule={name: cosine, learningRate: 0.1}";

interface Line {
  readonly batches: number;
  readonly samples: number;
  readonly scored: number;
  readonly step: number;
  readonly learningRate: { readonly first: number; readonly last: number };
  readonly test?: unknown;
  readonly batchSize: { readonly smallest: number; readonly largest: number };
}

async function trained(budget: string, arms: Readonly<Record<string, string>>, more: readonly string[] = []) {
  const scene = new Scene();
  const said = Object.entries(arms).map(([name, order]) => `${name}: {order: ${order}, budget: ${budget}}`);
  const settings = [`arms={${said.join(", ")}}`, "seeds=[4]", COSINE, ...more];
  const { error, results } = await scene.run({ settings, pretence: LOSSES });
  return { scene, error, results };
}

const linesOf = (scene: Scene, arm: string): readonly Line[] =>
  scene
    .text(`${arm}/seed-4/metrics.jsonl`)
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line));

const sum = (values: readonly number[]): number => values.reduce((total, one) => total + one, 0);
const totals = (scene: Scene, arm: string) => {
  const lines = linesOf(scene, arm);
  const work = { samples: sum(lines.map((line) => line.samples)), scored: sum(lines.map((line) => line.scored)) };
  return { ...work, steps: lines.at(-1)?.step, epochs: lines.length, equivalents: forwardEquivalents(work) };
};

/** Of the cosine schedule, where so much of the budget is spent. */
const rateAt = (share: number): number => (0.1 * (1 + Math.cos(Math.PI * share))) / 2;

const ARMS = {
  shuffled: "shuffled",
  half: "{name: random-subset, fraction: 0.5}",
  each: "{name: top-loss, cover: true}",
  scored: "{name: weighted, fraction: 0.5, signal: rescore, start: scored}",
};

describe("equal budgets are equal totals, each with the end of its schedule", () => {
  test("updates", async () => {
    const { scene, results } = await trained("{updates: 13}", ARMS);
    expect(results.map(({ state }) => state)).toEqual(["done", "done", "done", "done"]);
    expect(Object.keys(ARMS).map((arm) => totals(scene, arm).steps)).toEqual([13, 13, 13, 13]);
    expect(Object.keys(ARMS).map((arm) => totals(scene, arm).epochs)).toEqual([3, 5, 3, 5]); // of 5 and of 3 batches
    for (const arm of Object.keys(ARMS)) {
      const lines = linesOf(scene, arm);
      expect(lines[0].learningRate.first).toBe(0.1);
      expect(lines.at(-1)?.learningRate.last).toBeCloseTo(rateAt(12 / 13), 12);
      expect(lines.at(-1)?.test, "the last epoch is evaluated").toBeDefined();
    }
  });

  test("samples: the batch that reaches them is the last one", async () => {
    const { scene } = await trained("{samples: 60}", ARMS);
    // 24 + 24 + 5 + 5 + 5, and five times 5 + 5 + 2
    expect(Object.keys(ARMS).map((arm) => totals(scene, arm).samples)).toEqual([63, 60, 63, 60]);
    expect(linesOf(scene, "shuffled").at(-1)).toMatchObject({ batches: 3, samples: 15 });
    expect(linesOf(scene, "shuffled").at(-1)?.learningRate.last).toBeCloseTo(rateAt(58 / 60), 12);
    expect(linesOf(scene, "half").at(-1)?.learningRate.last).toBeCloseTo(rateAt(58 / 60), 12);
  });

  test("passes: those that score are charged, and none is made that leaves nothing to train with", async () => {
    const of = async (budget: number) => (await trained(`{forwardEquivalents: ${budget}}`, ARMS)).scene;
    const scene = await of(216);
    expect(Object.keys(ARMS).map((arm) => totals(scene, arm).equivalents)).toEqual([216, 216, 216, 219]);
    expect(linesOf(scene, "scored").map(({ scored, samples }) => [scored, samples])).toEqual([
      ...[0, 1, 2].map(() => [N, 12]), // 24 + 36 each
      [N, 5], // 180 + 24 are spent, 12 are left: one batch
    ]);
    expect(linesOf(scene, "scored").at(-1)?.learningRate.last).toBeCloseTo(rateAt(204 / 216), 12);
    const short = await of(204);
    expect(linesOf(short, "scored").map(({ scored, samples }) => [scored, samples])).toEqual([
      ...[0, 1, 2].map(() => [N, 12]),
      [0, 10], // a pass would spend what is left; 24 are eight samples: two batches
    ]);
  });

  test("passes: candidates are charged with the batches that they are for", async () => {
    const { scene } = await trained("{forwardEquivalents: 216}", { pool: "{name: pool, factor: 2}" });
    // 12 of 24 are trained on an epoch: 36 + 24; in the fourth 36 are left, of which a sample takes 5: two batches
    expect(linesOf(scene, "pool").map(({ samples, scored }) => [samples, scored])).toEqual([
      ...[0, 1, 2].map(() => [12, 24]),
      [10, 20],
    ]);
    expect(linesOf(scene, "pool").at(-1)?.learningRate.last).toBeCloseTo(rateAt((180 + 25) / 216), 12);
  });

  test("a shuffled last epoch is the one that reaches the budget", async () => {
    const order = "{name: random-subset, fraction: 0.5, shuffledLastEpoch: true}";
    const { scene } = await trained("{samples: 60}", { half: order, shuffled: ARMS.shuffled });
    expect(linesOf(scene, "half").map(({ samples }) => samples)).toEqual([12, 12, 12, 24]);
  });

  const GROWING = "batching={name: linear, from: 2, to: 8, per: batch}";
  const SHRINKING = "batching={name: linear, from: 8, to: 2, per: batch}";
  const DROPPING = "batching={name: constant, size: 5, lastBatch: drop}";
  test.each([
    ["a scoring pass before each", "loss-global, signal: rescore", "{forwardEquivalents: 312}", [], 24],
    ["every second one scored", "loss-global, signal: rescore, every: 2", "{forwardEquivalents: 399}", [], 24],
    ["candidates", "pool, factor: 2", "{forwardEquivalents: 300}", [], 24],
    ["candidates by percentile", "selective-backprop, factor: 2", "{forwardEquivalents: 301}", [], 24],
    ["a part, samples", "weighted, by: loss, fraction: 0.5", "{samples: 61}", [], 24],
    ["decided batch by batch", "top-loss, cover: true", "{updates: 14}", [], 24],
    ["batches that grow, updates", "loss-global", "{updates: 20}", [GROWING], 24],
    ["batches that shrink, updates", "loss-global", "{updates: 20}", [SHRINKING], 24],
    ["batches that shrink, samples", "loss-global", "{samples: 85}", [SHRINKING], 24],
    ["a last batch that is dropped", "loss-global", "{updates: 14}", [DROPPING], 20],
    ["the same, samples", "loss-global", "{samples: 85}", [DROPPING], 20],
  ])("a shuffled last epoch is whole, and the only one: %s", async (_, order, budget, more, samples) => {
    const settings = [
      `arms={a: {order: {name: ${order}, shuffledLastEpoch: true}, budget: ${budget}}, shuffled: {order: shuffled, epochs: 12}}`,
      ...["seeds=[4]", COSINE, ...more],
    ];
    const scene = new Scene();
    const { results } = await scene.run({ settings, pretence: LOSSES });
    expect(results.map(({ state }) => state)).toEqual(["done", "done"]);
    const lines = linesOf(scene, "a");
    const drawn = (arm: string, epoch: number) =>
      scene.words(`${arm}/seed-4/orders/${`${epoch}`.padStart(4, "0")}.u32`);
    const shuffles = lines.map((line, epoch) =>
      isDeepStrictEqual(drawn("a", epoch), drawn("shuffled", epoch).slice(0, line.samples)),
    );
    expect(shuffles.slice(1), "the first one knows no losses").toEqual([...Array(lines.length - 2).fill(false), true]);
    expect(lines.at(-1)).toMatchObject({ samples, scored: 0 });
    const rates = lines.flatMap(({ learningRate: { first, last } }) => [first, last]);
    expect(rates, "the schedule goes on").toEqual(rates.toSorted((a, b) => b - a));
    expect(rates.at(-1)).toBeGreaterThan(0);
    const { steps = 0, equivalents, samples: trained } = totals(scene, "a");
    const [kind, amount] = budget.slice(1, -1).split(": ");
    const spent = { updates: steps, samples: trained, forwardEquivalents: equivalents }[kind];
    const batch = { updates: 1, samples: 8, forwardEquivalents: 5 * 5 }[kind];
    const isShort = more[0] === SHRINKING && kind === "updates"; // from update 12 on 7 batches hold all, from 13 on 8
    expect(spent).toBeGreaterThanOrEqual(Number(amount) - Number(isShort));
    expect(spent).toBeLessThan(Number(amount) + (batch ?? 0));
  });

  test.each([
    [
      "{samples: 24}",
      [],
      "a budget of 24 samples leaves the order nothing beside a shuffled last epoch of 24 samples: name more than 24,",
    ],
    [
      "{updates: 5}",
      [],
      "a budget of 5 updates leaves the order nothing beside a shuffled last epoch of 24 samples: name more than 5,",
    ],
    ["{updates: 3}", [], "name more than 5, or leave shuffledLastEpoch out"],
    ["{updates: 2}", [GROWING], "name more than 5, or leave shuffledLastEpoch out"],
    ["{updates: 2}", [DROPPING], "name more than 4, or leave shuffledLastEpoch out"],
    ["{forwardEquivalents: 72}", [], "name more than 72, or leave shuffledLastEpoch out"],
    [
      "{samples: 90}",
      ["batching={name: linear, from: 2, to: 8, lastBatch: drop}"],
      "order.shuffledLastEpoch: what a shuffle drops at the end",
    ],
    [
      "{updates: 90}",
      ["batching={name: steps, sizes: [2, 4], at: [1]}"],
      "order.shuffledLastEpoch: how many updates a shuffle takes at the end",
    ],
    [
      "{updates: 90}",
      ["batching={name: linear, from: 2, to: 8}"],
      "order.shuffledLastEpoch: how many updates a shuffle takes at the end",
    ],
  ])(
    "a shuffled last epoch is refused where %s has no place for it, or does not say: %j",
    async (budget, more, expected) => {
      const order = "{name: random-subset, fraction: 0.5, shuffledLastEpoch: true}";
      const said = await trained(budget, { half: order }, more).then(
        ({ results, error }) => results[0]?.error ?? error,
        (error: unknown) => error,
      );
      expect(`${said}`).toContain(expected);
    },
  );

  test("what the first pass and the shuffled last epoch spend together is refused", async () => {
    const order = "{name: weighted, fraction: 0.5, signal: rescore, start: scored, shuffledLastEpoch: true}";
    const { results, error } = await trained("{forwardEquivalents: 96}", { scored: order });
    expect(`${results[0]?.error ?? error}`).toContain(
      "a budget of 96 forwardEquivalents is spent by the scoring pass before the first epoch (24 samples) and the shuffled last epoch (72): name more",
    );
  });

  test("batches that grow do so over the budget", async () => {
    const growing = "batching={name: linear, from: 2, to: 8, per: batch}";
    const { scene } = await trained("{updates: 12}", { shuffled: ARMS.shuffled, half: ARMS.half }, [growing]);
    for (const arm of ["shuffled", "half"]) {
      expect(totals(scene, arm).steps).toBe(12);
      expect(linesOf(scene, arm)[0].batchSize).toMatchObject({ smallest: 2 });
      expect(Math.max(...linesOf(scene, arm).map(({ batchSize }) => batchSize.largest))).toBe(8); // 2 + 6 · 11/12
    }
  });

  test.each([
    ["updates", "{updates: 30}", { half: ARMS.half }],
    ["samples", "{samples: 144}", { pacing: "{name: curriculum, sort: random}" }],
    ["passes", "{forwardEquivalents: 400}", { pool: "{name: pool, factor: 2}", scored: ARMS.scored }],
  ])("batches of one size in each epoch go by what is spent where it begins: %s", async (kind, budget, arms) => {
    const { scene, results } = await trained(budget, arms, ["batching={name: linear, from: 2, to: 8}"]);
    expect(results.map(({ state }) => state)).toEqual(results.map(() => "done"));
    const amount = Number(/\d+/.exec(budget));
    for (const arm of Object.keys(arms)) {
      const lines = linesOf(scene, arm);
      const spentBefore = (epoch: number) => {
        const { scored } = lines[epoch];
        const passBefore = arm === "scored" ? scored : 0;
        const before = lines.slice(0, epoch);
        const [samples, updates] = [sum(before.map((line) => line.samples)), sum(before.map((line) => line.batches))];
        const passes = 3 * samples + sum(before.map((line) => line.scored)) + passBefore;
        return { samples, updates, passes }[kind] ?? Number.NaN;
      };
      const expected = lines.map((_, epoch) => Math.round(2 + (6 * spentBefore(epoch)) / amount));
      expect(lines.map(({ batchSize }) => batchSize.largest)).toEqual(expected);
      expect(expected.at(-1), "whatever epochs there are").toBeGreaterThanOrEqual(6);
    }
  });

  test("a budget that the first pass would spend is refused before anything is trained", async () => {
    const { results, error } = await trained("{forwardEquivalents: 24}", { scored: ARMS.scored });
    expect(results[0]?.error ?? String(error)).toMatch(
      /a budget of 24 forwardEquivalents is spent by the scoring pass before the first epoch \(24 samples\): name more/,
    );
  });
});

describe("to the bit", () => {
  const runOf = (order: string, budget: string, ...more: string[]) => [
    `arms={a: {order: ${order}, budget: ${budget}}}`,
    ...["seeds=[4]", COSINE, "checkpoint={everyBatches: 1, leastSeconds: 0}", ...more],
  ];

  test.each([
    ["a part by loss", runOf("{name: weighted, fraction: 0.5, by: loss}", "{updates: 8}"), 7],
    ["a shuffle, samples", runOf("shuffled", "{samples: 60}", "backend.chunkBatches=1"), 12],
    ["scored before each epoch", runOf(ARMS.scored, "{forwardEquivalents: 204}", "backend.chunkBatches=1"), 10],
    ["the same with a last pass", runOf(ARMS.scored, "{forwardEquivalents: 225}", "backend.chunkBatches=1"), 10],
    ["candidates that are scored", runOf("{name: pool, factor: 2}", "{forwardEquivalents: 216}"), 10],
    ["a shuffled last epoch", runOf("{name: weighted, fraction: 0.5, shuffledLastEpoch: true}", "{samples: 60}"), 12],
    [
      "a shuffled last epoch behind candidates that cost more than was left",
      runOf("{name: pool, factor: 2, shuffledLastEpoch: true}", "{forwardEquivalents: 200}", "backend.chunkBatches=1"),
      10,
    ],
    ["decided batch by batch", runOf(ARMS.each, "{updates: 13}"), 12],
    ["the same with lag 0, samples", runOf("{name: top-loss, cover: true, lag: 0}", "{samples: 60}"), 12],
    [
      "batches that grow",
      runOf(
        "shuffled",
        "{updates: 12}",
        "batching={name: linear, from: 2, to: 8, per: batch}",
        "backend.chunkBatches=1",
      ),
      11,
    ],
  ])("stopped in the last epoch, which is cut: %s", async (_, settings, stop) => {
    const whole = await undisturbed({ settings });
    const scene = await stoppedBefore(stop, settings);
    expect(scene.document("a", 4)).toMatchObject({ state: "interrupted" });
    const { client } = await scene.run({ settings, pretence: LOSSES });
    expect(client.sentOf("load")[0]?.fields.step).toBeGreaterThan(0);
    expect(recorded(scene)).toEqual(whole.recorded);
    expect(client.trails).toEqual(whole.trails);
  });

  test("a replay with the same budget is the same training", async () => {
    const { scene } = await trained("{samples: 60}", { shuffled: ARMS.shuffled });
    const again = await trained("{samples: 60}", { again: `{replay: ${join(scene.directory, "shuffled/seed-4")}}` });
    const plans = (of: Scene, arm: string) =>
      linesOf(of, arm).map(({ step, samples, learningRate }) => ({ step, samples, learningRate }));
    expect(plans(again.scene, "again")).toEqual(plans(scene, "shuffled"));
    expect(readFileSync(join(again.scene.directory, "again/seed-4/orders/0002.u32"))).toEqual(
      readFileSync(join(scene.directory, "shuffled/seed-4/orders/0002.u32")),
    );
  });
});

test.each([
  [
    "{samples: 64}",
    "",
    "has 63 samples in 3 epochs, the budget wants 64 of it: lower the budget, or replay a longer run",
  ],
  ["{updates: 14}", "", "has 13 updates in 3 epochs, the budget wants 14 of it"],
  ["{forwardEquivalents: 190}", "", "has 189 forwardEquivalents in 3 epochs, the budget wants 190 of it"],
  ["{samples: 88}", ", shuffledLastEpoch: true", "has 63 samples in 3 epochs, the budget wants 64 of it"],
  ["{samples: 63}", "", undefined],
  ["{samples: 87}", ", shuffledLastEpoch: true", undefined],
])("a replay of less than %s%s wants is refused before anything is trained", async (budget, more, expected) => {
  const { scene } = await trained("{samples: 60}", { shuffled: ARMS.shuffled });
  const directory = join(scene.directory, "shuffled/seed-4");
  const again = new Scene();
  const run = again.run({
    settings: [`arms={again: {order: {replay: ${directory}${more}}, budget: ${budget}}}`, ...["seeds=[4]", COSINE]],
    pretence: LOSSES,
  });
  if (expected === undefined) {
    const { results, error } = await run;
    expect(error).toBeUndefined();
    expect(results.map(({ state }) => state)).toEqual(["done"]);
    return;
  }
  const said = await run.then(
    ({ error }) => error,
    (error: unknown) => error,
  );
  expect(`${said}`).toContain(`${directory} ${expected}`);
});

describe("a replay of which another seed's run has less than is wanted is refused before anything is trained", () => {
  /** Of 24 samples in three epochs seed 6 drew fewer than seed 4. */
  const pruned = async () => {
    const scene = new Scene();
    const settings = ["arms={pruned: {order: infobatch, epochs: 3}}", "seeds=[4, 5, 6]", COSINE];
    await scene.run({ settings, pretence: LOSSES });
    const samples = [4, 5, 6].map((seed) =>
      sum(
        scene
          .text(`pruned/seed-${seed}/metrics.jsonl`)
          .split("\n")
          .filter(Boolean)
          .map((line): number => JSON.parse(line).samples),
      ),
    );
    return { directory: join(scene.directory, "pruned"), samples };
  };
  const replaying = (directory: string, order: string, samples: number) => [
    `arms={again: {order: {replay: ${directory}${order}}, budget: {samples: ${samples}}}, shuffled: {order: shuffled}}`,
    ...["seeds=[4, 5, 6]", COSINE],
  ];

  test("when the config is read", async () => {
    const { directory, samples } = await pruned();
    const [first, second] = samples;
    expect(first, samples.join()).toBeGreaterThan(second);
    const run = new Scene().run({ settings: replaying(directory, "", first), pretence: LOSSES });
    await expect(run).rejects.toThrow(
      `arms.again.order.replay: ${directory}/seed-5 has ${second} samples in 3 epochs, the budget wants ${first}`,
    );
  });

  test("beside a shuffled last epoch, whose samples the data say: when arms are tried", async () => {
    const { directory, samples } = await pruned();
    const [first, second] = samples;
    const scene = new Scene();
    const settings = replaying(directory, ", shuffledLastEpoch: true", first + N);
    const { results } = await scene.run({ settings, pretence: LOSSES });
    const of = (arm: string) => results.filter((run) => run.arm === arm).map(({ state }) => state);
    expect([of("again"), of("shuffled")]).toEqual([Array(3).fill("failed"), Array(3).fill("done")]);
    expect(results.find(({ arm }) => arm === "again")?.error).toContain(`seed-5 has ${second} samples in 3 epochs`);
  });
});

test("an order in a file is told how much of the budget is spent", async () => {
  const scene = new Scene();
  const asked = `order({ eligible, size, epoch, progress }) {
    const expected = [0, 24, 48][epoch] / 60;
    if (progress !== expected) throw new Error("epoch " + epoch + " is at " + progress + ", not at " + expected);
    return { indices: eligible.slice(), offsets: offsetsOf(eligible.length, size) };
  },`;
  scene.write("mine.mjs", orderModule(asked));
  const settings = ["arms={a: {order: ./mine.mjs, budget: {samples: 60}}}", "seeds=[4]"];
  const { results } = await scene.run({ settings, pretence: LOSSES });
  expect(results).toMatchObject([{ state: "done", error: undefined }]);
});

describe("an order that has candidates scored is told how much of the budget is spent", () => {
  interface Told {
    readonly ofCandidates: readonly number[];
    readonly ofChoices: readonly number[];
    readonly equivalents: readonly number[];
  }

  const orderOfPools = (perSample: number, members: string, at: (what: string) => string = () => "") =>
    orderModule(`readsLedger: true, changesObjective: () => true, order: undefined, changesEachEpoch: () => true, dependsOnSeed: () => true,
      options: z.strictObject({ factor: z.number().default(0.1) }), ${members},
      candidates: ({ shuffle, first, count, progress }) => {
        ${at("candidates")}
        return Uint32Array.from({ length: ${perSample} * count }, (_, at) => shuffle[(${perSample} * first + at) % shuffle.length]);
      },
      nextBatch({ pool, count, progress }) {
        ${at("choice")}
        return { indices: pool.indices.slice(0, count), offsets: Uint32Array.of(0, count) };
      },`);

  /** With so many candidates for each sample, in batches of 5 and what is left of the epoch. */
  async function told(budget: string, perSample: number, members: string): Promise<Told> {
    const scene = new Scene();
    const say = (what: string) => `console.log(JSON.stringify([${JSON.stringify(what)}, progress]));`;
    scene.write("mine.mjs", orderOfPools(perSample, members, say));
    const settings = [`arms={a: {order: {file: ./mine.mjs, lag: 0}, budget: ${budget}}}`, "seeds=[4]", COSINE];
    const { results } = await scene.run({ settings, pretence: LOSSES });
    expect(results).toMatchObject([{ state: "done", error: undefined }]);
    const lines = [...scene.text("log.txt").matchAll(/order \.\/mine\.mjs: (\[.*\])/g)].map(([, line]) =>
      JSON.parse(line),
    );
    const of = (what: string) => lines.filter(([said]) => said === what).map(([, progress]) => progress);
    const equivalents = linesOf(scene, "a").map((line) => forwardEquivalents(line));
    return { ofCandidates: of("candidates"), ofChoices: of("choice"), equivalents };
  }
  const HALVES = 'coverage: () => "at-most-once", epochShare: () => 1 / 2';

  test("of updates: the same for candidates as for the choice from them", async () => {
    const { ofCandidates, ofChoices } = await told("{updates: 7}", 2, HALVES);
    expect(ofChoices).toEqual([0, 1, 2, 3, 4, 5, 6].map((step) => step / 7));
    expect(ofCandidates).toEqual(ofChoices);
  });

  test("of samples, too, in which an epoch is no whole share", async () => {
    const { ofCandidates, ofChoices } = await told("{samples: 31}", 2, HALVES);
    expect(ofChoices).toEqual([0, 5, 10, 12, 17, 22, 24, 29].map((samples) => samples / 31));
    expect(ofCandidates).toEqual(ofChoices);
  });

  test.each([
    ["left out: as many as make each sample one, whatever its options are called", 2, HALVES, 5, [5, 5, 2]],
    ["as it declares", 4, 'coverage: () => "any", epochShare: () => 1 / 2, candidatesPerSample: () => 4', 7, [5, 5, 2]],
  ])("of passes, with its candidates: %s", async (_, perSample, members, price, sizes) => {
    const { ofCandidates, ofChoices, equivalents } = await told("{forwardEquivalents: 200}", perSample, members);
    let spent = 0;
    const expected: number[] = [];
    for (let batch = 0; spent < 200; spent += price * sizes[batch++ % 3]) expected.push(spent / 200);
    expect(ofChoices).toEqual(expected);
    expect(ofCandidates).toEqual(expected);
    expect(sum(equivalents)).toBe(spent);
  });

  test("a batch may have another number of candidates than declared where no budget counts them", async () => {
    const { ofCandidates } = await told("{updates: 3}", 2, `${HALVES}, candidatesPerSample: () => 1`);
    expect(ofCandidates).toEqual([0, 1 / 3, 2 / 3]);
  });

  test.each([
    ["1", "5"],
    ["3", "15"],
  ])("where it declares %s candidates for a sample and names 2 the run fails", async (declared, expected) => {
    const scene = new Scene();
    scene.write("mine.mjs", orderOfPools(2, `${HALVES}, candidatesPerSample: () => ${declared}`));
    const settings = ["arms={a: {order: {file: ./mine.mjs}, budget: {forwardEquivalents: 200}}}", "seeds=[4]", COSINE];
    const { results } = await scene.run({ settings, pretence: LOSSES });
    expect(results[0].error).toBe(
      "order mine in epoch 1, step 0 (candidates) breaks a law of orders (candidates are as many as declared): seen 10 candidates " +
        `for a batch of 5, expected ${expected}, for \`candidatesPerSample\` is ${declared}, or \`candidatesPerSample: () => 2\``,
    );
  });
});

describe("what a budget of updates gives no meaning to is refused", () => {
  const of = (batching: string, budget = "updates: 9") =>
    resolved(
      CONFIG.replace("epochs: 3\n", `budget: { ${budget} }\n`).replace(
        "{ name: constant, size: 5 }",
        `{ ${batching} }`,
      ),
    );

  test("rates of another rule: no samples are the same", async () => {
    const rule = "name: constant, size: 4, learningRate: linear, ratesOf: { name: linear, from: 2, to: 8, per: batch }";
    await expect(of(rule)).rejects.toThrow(
      "x.yaml:6: batching.ratesOf: with a budget of updates the other rule would train on other samples",
    );
    expect((await of(rule, "samples: 90")).arms.frozen.budget).toEqual({ samples: 90 });
  });
});

describe("what earlier builds trained otherwise has another hash, and nothing else has", () => {
  const GROWS = "{ name: linear, from: 2, to: 8 }";
  const RATES = `{ name: constant, size: 5, learningRate: linear, ratesOf: ${GROWS} }`;
  test.each([
    ["budget: { updates: 9 }", "{ name: frozen, shuffledLastEpoch: true }", "", { shuffledLastEpoch: "whole" }],
    ["budget: { samples: 90 }", "frozen", GROWS, { sizesPerEpoch: "spent" }],
    ["budget: { samples: 90 }", "frozen", GROWS.replace("linear", "geometric"), { sizesPerEpoch: "spent" }],
    ["budget: { samples: 90 }", "frozen", RATES, { sizesPerEpoch: "spent" }],
    [
      "budget: { forwardEquivalents: 900 }",
      "{ name: frozen, shuffledLastEpoch: true }",
      GROWS,
      { shuffledLastEpoch: "whole", sizesPerEpoch: "spent" },
    ],
    ["budget: { samples: 90 }", "{ name: frozen, shuffledLastEpoch: false }", "", undefined],
    ["budget: { samples: 90 }", "frozen", GROWS.replace(" }", ", per: batch }"), undefined],
    ["budget: { samples: 90 }", "frozen", "{ name: steps, sizes: [2, 4], at: [1] }", undefined],
    ["epochs: 3", "{ name: frozen, shuffledLastEpoch: true }", GROWS, undefined],
  ])("%s, %s %s", async (length, order, batching, expected) => {
    const text = CONFIG.replace("epochs: 3", length).replace("{ order: frozen }", `{ order: ${order} }`);
    const config = await resolved(batching === "" ? text : text.replace("{ name: constant, size: 5 }", batching));
    const { meantAnew, ...before } = config.arms.frozen;
    expect(meantAnew).toEqual(expected);
    const isAnother = armHash(config.arms.frozen, config.evaluation) !== armHash(before, config.evaluation);
    expect(isAnother).toBe(expected !== undefined);
  });
});

describe("a budget of epochs", () => {
  const of = (line: string) => resolved(CONFIG.replace("epochs: 3\n", line));

  test("is `epochs`: the same hashes, in an arm too", async () => {
    const [said, short] = await Promise.all([of("budget: { epochs: 3 }\n"), of("epochs: 3\n")]);
    expect(said.arms).toEqual(short.arms);
    expect(experimentHash(said)).toBe(experimentHash(short));
    expect(armHash(said.arms.frozen, said.evaluation)).toBe(armHash(short.arms.frozen, short.evaluation));
  });

  test("of an arm replaces the others' length, whichever kind it is", async () => {
    const text = CONFIG.replace("epochs: 3\n", "budget: { updates: 9 }\n");
    const { arms } = await resolved(
      text
        .replace("{ order: frozen }", "{ order: frozen, epochs: 2 }")
        .replace("order: shuffled", "order: shuffled, budget: { samples: 8 }"),
    );
    expect(arms.frozen).toMatchObject({ epochs: 2 });
    expect(arms.frozen.budget).toBeUndefined();
    expect(arms.shuffled.budget).toEqual({ samples: 8 });
    expect(arms.shuffled.epochs).toBeUndefined();
  });

  test.each([
    ["epochs: 3\nbudget: { updates: 9 }\n", "exactly one of epochs and budget"],
    ["budget: { updates: 9, samples: 3 }\n", "exactly one of epochs, updates, samples and forwardEquivalents"],
    ["budget: {}\n", "exactly one of epochs, updates, samples and forwardEquivalents"],
    ["budget: { seconds: 9 }\n", "budget.seconds: unknown key"],
  ])("%j is refused", async (line, expected) => {
    await expect(of(line)).rejects.toThrow(expected);
  });
});

test("status and tables say how many epochs there were, and a table that arms cost alike", async () => {
  const { scene } = await trained("{forwardEquivalents: 216}", { shuffled: ARMS.shuffled, half: ARMS.half });
  const { runs } = readStatus(scene.directory);
  expect(runs.map(({ epochs, ofEpochs }) => [epochs, ofEpochs])).toEqual([
    [3, null],
    [6, null],
  ]);
  const { signal } = new AbortController();
  const { table } = await readResults(scene.directory, { python: undefined, signal });
  expect(table).toMatch(/\| half +\|.*\| +6 \|/);
  expect(table).not.toContain("Unequal work");
});
