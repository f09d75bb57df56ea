// Orders that read what earlier runs recorded of each sample, never what a run of their own seed did.
import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { armHash } from "../../src/config/config.js";
import { forgettingEvents } from "../../src/order-files/sample-values.js";
import { NOT_SEEN } from "../../src/record/recorded-signals.js";
import type { Pretence } from "../experiment/fake-backend.js";
import { stoppedBefore } from "../experiment/one-run.js";
import { CONFIG, resolved, Scene } from "../experiment/scene.js";
import { orderModule } from "./own-order.js";

/** Another sequence of difficulty for each seed: easy samples of seed 0 are hard ones of seed 1; of seed 2 the middle ones are. */
const lossOf = (index: number, seed: number) => [index, 24 - index, 8 * Math.abs(index - 11)][seed];
const LOSSES: Pretence = { loss: (index, _, seed) => 1 + lossOf(index, seed) / 64 };

const CHECKPOINTS = ["checkpoint={everyBatches: 2, leastSeconds: 0}"];

/** Runs of arm `src`, of as many seeds. */
async function recorded(settings: readonly string[] = [], pretence: Pretence = LOSSES) {
  const scene = new Scene();
  await scene.run({ settings: ["arms={src: {order: frozen}}", ...settings], pretence });
  const arm = join(scene.directory, "src");
  return { scene, arm, run: (seed: number) => join(arm, `seed-${seed}`) };
}

/** Trains arm `a` with this order. */
async function trained(order: string, settings: readonly string[] = [], prepare: (scene: Scene) => void = () => {}) {
  const scene = new Scene();
  prepare(scene);
  const ran = await scene.run({ settings: [`arms={a: {order: ${order}}}`, ...settings], pretence: LOSSES });
  return { ...ran, scene };
}

const drawnIn = (scene: Scene, seed: number, epoch: number) =>
  scene.words(`a/seed-${seed}/orders/000${epoch}.u32`).sort((x, y) => x - y);

const ascending = (from: number, count: number) => Array.from({ length: count }, (_, at) => from + at);

describe("each seed is given the mean over the runs of the others", () => {
  const curriculum = (from: string, more = "") =>
    `{name: curriculum, from: ${from}, a: 1, b: 0.25, pacing: step${more}}`;

  test("of an arm with two seeds: what the other one found easy comes first", async () => {
    const { arm } = await recorded();
    const { scene, results } = await trained(curriculum(arm));
    expect(results).toMatchObject([{ state: "done" }, { state: "done" }]);
    expect(drawnIn(scene, 0, 0)).toEqual(ascending(18, 6));
    expect(drawnIn(scene, 1, 0)).toEqual(ascending(0, 6));
  });

  test("of three: by the mean of two", async () => {
    const { arm } = await recorded(["seeds=3"]);
    const { scene } = await trained(curriculum(arm), ["seeds=[0, 1, 2, 7]"]);
    const easiest = (...seeds: number[]) =>
      ascending(0, 24)
        .map((index) => ({ index, loss: seeds.reduce((sum, seed) => sum + lossOf(index, seed), 0) }))
        .sort((x, y) => x.loss - y.loss)
        .map(({ index, loss }, _, all) => ({ index, isIn: loss < all[6].loss, isOut: loss > all[5].loss }));
    for (const [seed, others] of [
      [0, [1, 2]],
      [1, [0, 2]],
      [7, [0, 1, 2]],
    ] as const) {
      const drawn = drawnIn(scene, seed, 0);
      expect(drawn.length).toBe(6);
      for (const { index, isIn, isOut } of easiest(...others)) {
        if (isIn) expect(drawn, `seed ${seed}`).toContain(index);
        if (isOut) expect(drawn, `seed ${seed}`).not.toContain(index);
      }
    }
    // Seeds 0 and 1 find all samples as hard as each other in the mean: chance alone is left to seed 2.
    expect(drawnIn(scene, 2, 0)).not.toEqual(ascending(18, 6));
  });

  test("of one run: for all seeds but its own", async () => {
    const { run } = await recorded();
    const { scene } = await trained(curriculum(run(1), ", epoch: 2"), ["seeds=[0, 5]"]);
    for (const seed of [0, 5]) expect(drawnIn(scene, seed, 0)).toEqual(ascending(18, 6));
  });

  test("the seed that counts is that of the initial weights", async () => {
    const { arm } = await recorded(["seeds={count: 2, model: 7}"]);
    await expect(trained(curriculum(arm), ["seeds=[7]"])).rejects.toThrow("has a run of seed 7 alone");
    const { arm: other } = await recorded();
    const { scene } = await trained(curriculum(other), ["seeds={count: [0], model: 1}"]);
    expect(drawnIn(scene, 0, 0)).toEqual(ascending(0, 6));
    const { scene: third } = await trained(curriculum(other), ["seeds={count: [1], order: 0}"]);
    expect(drawnIn(third, 1, 0)).toEqual(ascending(0, 6));
  });

  test("also decided batch by batch", async () => {
    const { arm } = await recorded();
    const { scene } = await trained(curriculum(arm, ", per: batch"), ["seeds=1"]);
    const drawn = new Set(scene.words("a/seed-0/orders/0000.u32"));
    expect(scene.words("a/seed-0/orders/0000.u32").length).toBe(24);
    for (const index of drawn) expect(index).toBeGreaterThanOrEqual(18);
  });
});

describe("what is read while an experiment is trained is what was hashed when its config was read", () => {
  /** Trains seeds 7 and 8 by the run of seed 0, which found sample 0 the easiest. `meanwhile`: once the config is read. */
  async function trainedMeanwhile(meanwhile: (arm: string) => void) {
    const { arm } = await recorded(["seeds=[0]"]);
    const scene = new Scene();
    let opened = 0;
    const before: Pretence["before"] = ({ type }) => {
      if (type === "open" && ++opened === 1) meanwhile(arm);
    };
    const order = `{name: curriculum, from: ${arm}, a: 1, b: 0.25, pacing: step}`;
    const ran = await scene.run({ settings: [`arms={a: {order: ${order}}}`, "seeds=[7, 8]"], pretence: { before } });
    return { ...ran, scene, arm };
  }

  test("a seed that is recorded meanwhile chooses for none", async () => {
    const { run } = await recorded();
    const { scene, results, arm } = await trainedMeanwhile((of) =>
      cpSync(run(1), join(of, "seed-1"), { recursive: true }),
    );
    expect(existsSync(join(arm, "seed-1", "run.json"))).toBe(true);
    expect(results).toMatchObject([{ state: "done" }, { state: "done" }]);
    for (const seed of [7, 8]) expect(drawnIn(scene, seed, 0)).toEqual(ascending(0, 6));
  });

  test("a run that was made anew with other values is refused", async () => {
    const { run } = await recorded(["seeds=[0]"], { loss: (index) => index % 3 });
    const { results, scene, arm } = await trainedMeanwhile((of) => {
      rmSync(join(of, "seed-0"), { recursive: true });
      cpSync(run(0), join(of, "seed-0"), { recursive: true });
    });
    const error = expect.stringContaining(
      `${join(arm, "seed-0")} has other values (loss) than when this command read the config: put back what was there, or ` +
        "begin another experiment with these",
    );
    expect(results).toMatchObject([
      { state: "failed", error },
      { state: "failed", error },
    ]);
    expect(scene.has("a/seed-7/orders/0000.json")).toBe(false);
  });
});

test("el2n-subset takes the EL2N of an epoch, of runs that were told to record it", async () => {
  const { arm, scene: source } = await recorded(["record.extraSignals=[el2n]"]);
  expect(source.floats("src/seed-0/signals/el2n/0001.f32")[23]).toBe(23 + 9 / 16); // as the backend pretends
  const { scene } = await trained(`{name: el2n-subset, from: ${arm}, epoch: 1, fraction: 0.25}`);
  for (const epoch of [0, 1, 2]) expect(drawnIn(scene, 0, epoch)).toEqual(ascending(18, 6));
  expect(scene.bytes("a/seed-0/orders/0000.u32").equals(scene.bytes("a/seed-0/orders/0001.u32"))).toBe(false);
});

test("the log says once of how many samples nothing is known, where the source's order left some out", async () => {
  const { arm } = await recorded([
    "arms={src: {order: {name: random-subset, fraction: 0.25, redraw: never}}}",
    "seeds=1",
    "record.extraSignals=[el2n]",
  ]);
  const order = `{name: el2n-subset, from: ${arm}, epoch: 1, fraction: 0.5}`;
  const { scene } = await trained(order, ["seeds=[5, 6]"]);
  const lines = scene
    .text("log.txt")
    .split("\n")
    .filter((line) => line.includes("order el2n-subset"));
  expect(lines).toEqual([
    expect.stringContaining(
      `the runs in ${arm} know el2n of 6 of the 24 samples that may be drawn, for their order left samples out; of the other 18 it is told nothing`,
    ),
  ]);
  const whole = await recorded(["record.extraSignals=[el2n]"]);
  const { scene: silent } = await trained(order.replace(arm, whole.arm));
  expect(silent.has("log.txt")).toBe(false);
});

describe("forgetting events", () => {
  const [right, wrong, unseen] = [1, 0, NOT_SEEN];

  test("by hand: a change from right to wrong between two visits; never right: as many as there are epochs", () => {
    const visits = [
      [right, right, right, right, right], // never forgotten
      [right, wrong, right, wrong, right], // twice
      [wrong, wrong, right, right, wrong], // once
      [right, unseen, wrong, unseen, right], // once: visits in between are none
      [wrong, wrong, wrong, unseen, wrong], // never right
      [unseen, unseen, unseen, unseen, unseen],
    ];
    const epochs = visits[0].map((_, epoch) => Uint32Array.from(visits, (visit) => visit[epoch]));
    const events = forgettingEvents(epochs, new Uint32Array(visits.length).fill(right));
    expect([...events]).toEqual([0, 2, 1, 1, 5, Number.NaN]);
  });

  test("forgetting-subset keeps those with the most, from a run's predictions and the labels", async () => {
    // Steps 0 … 4, 5 … 9, 10 … 14 are epochs; sample i is of class i % 2 and seen in each.
    const prediction = (index: number, step: number) => {
      if (index < 3) return 1 - (index % 2); // never right
      const isForgotten = index >= 20 && step >= 5 && step < 10;
      return isForgotten ? 1 - (index % 2) : index % 2;
    };
    const { arm } = await recorded([], { classes: 2, prediction });
    const scene = new Scene();
    const settings = [`arms={a: {order: {name: forgetting-subset, from: ${arm}, fraction: 0.25}}}`, "seeds=[3]"];
    await scene.run({ settings, pretence: { classes: 2 } });
    const drawn = drawnIn(scene, 3, 0);
    expect(drawn.slice(0, 3)).toEqual([0, 1, 2]);
    expect(drawn.length).toBe(6);
    for (const index of drawn.slice(3)) expect(index).toBeGreaterThanOrEqual(20);
  });
});

test("a user's order has them too, through its thread", async () => {
  const { arm } = await recorded();
  const module = orderModule(`scores: () => ({ of: "loss", epoch: 2 }),
  order: ({ eligible, size, scores }) => {
    const indices = eligible.slice().sort((a, b) => scores[b] - scores[a]);
    return { indices, offsets: offsetsOf(eligible.length, size) };
  },`);
  const { scene } = await trained(`{file: ./mine.mjs, from: ${arm}}`, [], (of) => of.write("mine.mjs", module));
  expect(scene.words("a/seed-1/orders/0000.u32")).toEqual(ascending(0, 24).reverse());
  expect(scene.words("a/seed-0/orders/0002.u32")).toEqual(ascending(0, 24));
});

describe("rho-loss", () => {
  const PARTS = (part: string, more = "") => `dataset={name: digits, part: ${part}${more}}`;
  const SCORED = { ...LOSSES, scoredLoss: (index: number, step: number) => (step === 9 ? index / 8 : (index % 5) + 4) };
  const source = (part = "a", more = "", settings: readonly string[] = []) =>
    recorded([PARTS(part, more), "record.scoreAll=true", ...settings], SCORED);
  const RHO = (from: string) => `{name: rho-loss, from: ${from}, factor: 2, lag: 0}`;

  test("takes what a model of the other half leaves to learn", async () => {
    const { arm, scene: recordedOn } = await source(); // 12 samples in batches of 5: 9 steps
    const scene = new Scene();
    const { client, results } = await scene.run({
      settings: [`arms={a: {order: ${RHO(arm)}}}`, "seeds=[1]", PARTS("b"), "batching.size=3"],
      pretence: SCORED,
    });
    expect(results).toMatchObject([{ state: "done" }]);
    const known = new Set(recordedOn.words("src/seed-0/orders/0000.u32"));
    const pools = client.sentOf("score").map(({ arrays }) => [...arrays.indices]);
    const batches = client.sentOf("train").map(({ arrays }) => [...arrays.indices]);
    expect(pools.map(({ length }) => length)).toEqual([6, 6, 6, 6, 6, 6]);
    for (const [at, pool] of pools.entries()) {
      expect(pool.filter((index) => known.has(index))).toEqual([]);
      const reducible = (index: number) => (index % 5) + 4 - index / 8;
      const expected = pool.sort((one, other) => reducible(other) - reducible(one)).slice(0, 3);
      expect(new Set(batches[at])).toEqual(new Set(expected));
    }
  });

  test("with wrong labels, by those of the source, which scores the other half with them, too", async () => {
    const noise = ", labelNoise: {fraction: 0.25, seed: 2}";
    const { arm, scene: recordedOn } = await source("a", noise);
    const scene = new Scene();
    await scene.run({
      settings: [`arms={a: {order: ${RHO(arm)}}}`, "seeds=[1]", PARTS("b", noise)],
      pretence: SCORED,
    });
    expect(scene.words("a/seed-1/trained-labels.u32")).toEqual(recordedOn.words("src/seed-0/trained-labels.u32"));
  });

  test("refuses what trained on these samples, scored none, or scored others' labels; and a placebo that still knows", async () => {
    const { arm, run } = await source();
    const refusal = async (dataset: string, more = "") => {
      const text = `${CONFIG.slice(0, CONFIG.indexOf("arms:"))}arms:\n  a: { order: { name: rho-loss, from: ${arm}${more} } }\n`;
      return resolved(text.replace("dataset: digits", `dataset: ${dataset}`)).then(
        () => "none",
        ({ message }: Error) => message,
      );
    };
    const between = (is: string) =>
      `${run(0)} was trained on dataset: { subset: null, part: a }, this arm trains on { ${is} }`;
    expect(await refusal("{ name: digits, part: b }")).toBe("none");
    expect(await refusal("{ name: digits, part: a }")).toContain(
      `${between("subset: null, part: a")}; a model's losses are irreducible of samples that it never saw`,
    );
    expect(await refusal("digits")).toContain(between("subset: null"));
    expect(await refusal("{ name: digits, part: b, validation: 2 }")).toContain("the same validation");
    expect(await refusal("{ name: digits, part: b, labelNoise: { fraction: 0.5 } }")).toContain("by the same labels");
    expect(await refusal("{ name: digits, part: b }", ", placebo: true")).toContain(
      "would still know what earlier runs recorded of each sample (irreducible), which is not permuted",
    );
    const unscored = await recorded([PARTS("a")], SCORED);
    const text = `${CONFIG.slice(0, CONFIG.indexOf("arms:"))}arms:\n  a: { order: { name: rho-loss, from: ${unscored.arm} } }\n`;
    await expect(resolved(text.replace("dataset: digits", "dataset: { name: digits, part: b }"))).rejects.toThrow(
      `${unscored.run(0)} did not record final-losses.f32: record runs with record: { scoreAll: true }`,
    );
  });
});

test("record.extraSignals adds files and changes nothing else", async () => {
  const settings = ["arms={a: {order: loss-global}}", "seeds=1"];
  const [plain, more] = [new Scene(), new Scene()];
  const before = await plain.run({ settings, pretence: LOSSES });
  const after = await more.run({ settings: [...settings, "record.extraSignals=[margin, el2n]"], pretence: LOSSES });
  expect(after.client.trails).toEqual(before.client.trails);
  const isExtra = (path: string) => /signals\/(margin|el2n)\//.test(path);
  expect(more.files("a").filter((path) => !isExtra(path))).toEqual(plain.files("a"));
  expect(more.files("a").filter(isExtra).length).toBe(6);
  expect(more.document("a", 0).configHash).toBe(plain.document("a", 0).configHash);
  expect(more.text("a/seed-0/orders/0002.json")).toBe(plain.text("a/seed-0/orders/0002.json"));
});

test.each([
  ["with others", "record.extraSignals=[margin]"],
  ["with none", "record.images=8"],
])("an epoch under way keeps the signals that it began with, though its run goes on %s", async (_, now) => {
  const scene = await stoppedBefore(3, [
    "arms={a: {order: frozen}}",
    "seeds=[1]",
    ...CHECKPOINTS,
    "record.extraSignals=[el2n]",
  ]);
  const { results } = await scene.run({
    settings: ["arms={a: {order: frozen}}", "seeds=[1]", ...CHECKPOINTS, now],
    pretence: LOSSES,
  });
  expect(results).toMatchObject([{ state: "done" }]);
  expect(scene.floats("a/seed-1/signals/el2n/0000.f32").some(Number.isNaN)).toBe(false);
  expect(scene.has("a/seed-1/signals/el2n/0001.f32")).toBe(false);
  expect(scene.has("a/seed-1/signals/margin/0001.f32")).toBe(now.includes("margin"));
});

describe("what cannot be read is refused, with the place in the config", () => {
  const text = (order: string, seeds = "seeds: [5]") =>
    `${CONFIG.slice(0, CONFIG.indexOf("arms:"))}arms:\n  a: { order: ${order} }\n`.replace("seeds: 2", seeds);
  const refused = (config: string, message: string) =>
    expect(resolved(config)).rejects.toMatchObject({ kind: "usage", message: `x.yaml:12: arms.a.order${message}` });

  test("a seed that has no other seed's runs", async () => {
    const { arm, run } = await recorded(["seeds=1"]);
    const alone = (directory: string) =>
      `.from: ${directory} has a run of seed 0 alone, and no run is chosen for by scores of its own seed: record another ` +
      "seed of that arm, or leave seed 0 out";
    await refused(text(`{ name: curriculum, from: ${arm} }`, "seeds: 2"), alone(arm));
    await refused(text(`{ name: curriculum, from: ${run(0)} }`, "seeds: [0]"), alone(run(0)));
    await resolved(text(`{ name: curriculum, from: ${arm} }`, "seeds: [1]"));
  });

  test("no place, a place where there are no runs, and one that is not wanted", async () => {
    const { arm, scene } = await recorded();
    await refused(
      text("{ name: el2n-subset }"),
      ": order el2n-subset reads el2n of runs recorded earlier: say where they are, as in from: ../runs/NAME/shuffled",
    );
    await refused(text("{ name: curriculum, from: /nowhere }"), ".from: there is no directory /nowhere");
    await refused(
      text(`{ name: curriculum, from: ${scene.directory} }`),
      `.from: ${scene.directory} holds no recorded run; expected the directory of an arm (<experiment>/<arm>), or of a run ` +
        "(<arm>/seed-<n>)",
    );
    await refused(
      text(`{ name: curriculum, sort: random, from: ${arm} }`),
      ".from: order curriculum reads no runs with these options: leave from out, or say from: null where all arms have one",
    );
    const common = `order: { name: curriculum, from: ${arm} }\n${text("{ sort: random, from: null }")}`;
    expect((await resolved(common)).arms.a.order).toEqual(
      (await resolved(text("{ name: curriculum, sort: random }"))).arms.a.order,
    );
    await refused(text(`{ name: shuffled, from: ${arm} }`), ".from: unknown key; there are no options here");
  });

  test("what was not recorded, and how it would be", async () => {
    const { arm, run } = await recorded(["record.signals=last"]);
    await refused(
      text(`{ name: el2n-subset, from: ${arm}, epoch: 1 }`),
      `.from: ${run(0)} did not record signals/el2n/0001.f32: record runs with record: { extraSignals: [el2n] }, and signals: ` +
        "full, or take an arm whose order reads el2n",
    );
    await refused(
      text(`{ name: curriculum, from: ${arm} }`),
      `.from: ${run(0)} did not record signals/loss/0000.f32: record runs with record: { signals: full }`,
    );
    await refused(
      text(`{ name: forgetting-subset, from: ${arm} }`),
      `.from: ${run(0)} did not record signals/prediction/0000.u32: record runs with record: { signals: full }`,
    );
    await refused(
      text(`{ name: curriculum, from: ${arm}, epoch: 3 }`),
      `.from: ${run(0)} has 3 epochs, and epoch 3 is wanted (the first is 0): name one of them`,
    );
  });

  test("runs on other samples, with other labels, or that are not done", async () => {
    const { arm, run } = await recorded(["dataset.subset=12"]);
    const unlike = (was: string, is: string) =>
      `.from: ${run(0)} was trained on dataset: { ${was} }, this arm trains on { ${is} }, of which it does not know all, or by ` +
      "other labels: say the same, or take runs of this part";
    const config = text(`{ name: curriculum, from: ${arm} }`);
    await refused(config, unlike("subset: 12", "subset: null"));
    const same = config.replace("dataset: digits", "dataset: { name: digits, subset: 12 }");
    await resolved(same);
    const noisy = "dataset: { name: digits, subset: 12, labelNoise: { fraction: 0.5 } }";
    await refused(
      config.replace("dataset: digits", noisy),
      unlike("subset: 12", "subset: 12, labelNoise: 0.5 by seed 0"),
    );
    const apart = await recorded(["dataset.subset=12", "dataset.subsetSeed=run"]);
    await expect(
      resolved(
        text(`{ name: curriculum, from: ${apart.arm} }`).replace(
          "dataset: digits",
          "dataset: { name: digits, subset: 12, subsetSeed: run }",
        ),
      ),
    ).rejects.toThrow("{ subset: 12 }, this arm trains on { subset: 12 by seed 5 }, of which it does not know all");
    const path = join(run(1), "run.json");
    writeFileSync(
      path,
      readFileSync(path, "utf8")
        .replace('"done"', '"interrupted"')
        .replace(/,\s*"checksums": "[^"]*"/, ""),
    );
    rmSync(join(run(1), "SHA256SUMS"));
    await refused(same, `.from: ${run(1)} is interrupted, expected done: let it come to its end, or move it away`);
  });

  test("runs that were trained on what is held out here: their networks know it", async () => {
    const { arm, run } = await recorded();
    const config = text(`{ name: curriculum, from: ${arm} }`);
    await refused(
      config.replace("dataset: digits", "dataset: { name: digits, validation: 8 }"),
      `.from: ${run(0)} was trained on dataset: { subset: null }, this arm trains on { subset: null, validation: 8 }; samples ` +
        "would be chosen by networks that know others than are held out here: take runs with validation: 8, or say validation: 0",
    );
    const alike = await recorded(["dataset.validation=8"]);
    await resolved(
      config.replace(arm, alike.arm).replace("dataset: digits", "dataset: { name: digits, validation: 8 }"),
    );
  });

  test("one bit of the values that has changed, before anything is trained", async () => {
    const { arm, scene } = await recorded();
    const path = join(arm, "seed-1", "signals", "loss", "0001.f32");
    const bytes = scene.bytes("src/seed-1/signals/loss/0001.f32");
    bytes[5] ^= 1;
    writeFileSync(path, bytes);
    await expect(resolved(text(`{ name: curriculum, from: ${arm} }`))).rejects.toMatchObject({
      message: expect.stringContaining(`${path} is damaged (it is not what the run recorded: SHA-256 `),
    });
  });

  test("other data under the same name: the run is refused, and nothing is written", async () => {
    const { arm } = await recorded();
    const scene = new Scene();
    const settings = [`arms={a: {order: {name: curriculum, from: ${arm}}}}`, "seeds=[5]"];
    const ran = await scene.run({ settings, pretence: { opened: { dataSha256: "f".repeat(64) } } });
    expect(ran.error ?? ran.results[0]).toMatchObject({
      message: expect.stringMatching(/was trained on other data \(SHA-256 \w{8}, now ffffffff\): take runs on these$/),
    });
    expect(scene.has("a/seed-5/run.json")).toBe(false);
  });
});

describe("the arm's hash", () => {
  const hashOf = async (order: string, seeds = "seeds: [5]") => {
    const config = `${CONFIG.slice(0, CONFIG.indexOf("arms:"))}arms:\n  a: { order: ${order} }\n`.replace(
      "seeds: 2",
      seeds,
    );
    const { arms, evaluation } = await resolved(config);
    return armHash(arms.a, evaluation);
  };

  test("is of what is read: other values are another arm, the same made again the same; seeds can be added to the config", async () => {
    const { arm, scene } = await recorded();
    const order = `{ name: curriculum, from: ${arm} }`;
    const first = await hashOf(order);
    const again = await recorded();
    rmSync(arm, { recursive: true });
    cpSync(again.arm, arm, { recursive: true });
    expect(await hashOf(order)).toBe(first);
    expect(await hashOf(order, "seeds: [5, 6]")).toBe(first);
    const others = await recorded([], { loss: (index) => index });
    rmSync(arm, { recursive: true });
    cpSync(others.arm, arm, { recursive: true });
    expect(await hashOf(order)).not.toBe(first);
    expect(scene.has("src/seed-0/run.json")).toBe(true);
  });

  test("of orders that read no runs is what it was", async () => {
    const { arms } = await resolved(CONFIG);
    expect(arms.shuffled.order).toEqual({ name: "shuffled", options: {}, changesObjective: false });
  });
});
