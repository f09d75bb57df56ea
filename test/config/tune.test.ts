import { describe, expect, test } from "vitest";
import { Checker } from "../../src/config/checker.js";
import { experimentHash, resolveConfig } from "../../src/config/config.js";
import { ConfigSource } from "../../src/config/config-source.js";
import { OrderSources } from "../../src/config/order-sources.js";
import { refuseUntunable, tuningSeeds } from "../../src/config/tune.js";
import { unreadSettings } from "../../src/config/unread.js";
import { trialName, trialsOf } from "../../src/experiment/tuning/trials.js";
import { mistake } from "../mistake.js";
import { catalogue } from "./fake-catalogue.js";

const TUNED = `name: small
dataset: { name: digits, subset: 100 }
model: mnist-cnn
optimizer: sgd
schedule: cosine
batching: { name: constant, size: 10 }
epochs: 2
seeds: 2
tune: { learningRate: [0.1, 0.01] }
arms:
  frozen: { order: frozen }
  shuffled: { order: shuffled }
`;

const source = (settings: readonly string[] = [], text = TUNED) =>
  ConfigSource.parse(
    text,
    "x.yaml",
    settings.map((assignment) => ({ said: assignment, assignment })),
  );
const resolve = (settings: readonly string[] = [], text = TUNED) =>
  resolveConfig(source(settings, text), OrderSources.builtIn, catalogue);

test("defaults; rates ascend; a schedule needs no rate of its own, and one that it has is said to be replaced", () => {
  const { tune, arms } = resolve();
  expect(tune).toEqual({ learningRate: [0.01, 0.1], seeds: 9, validation: 0.1, measure: "accuracy" });
  expect(arms.frozen.schedule).toMatchObject({ name: "cosine", options: { learningRate: 0.01 } });
  expect(unreadSettings(source())).toEqual([]);
  const own = "arms.frozen={ order: frozen, schedule: { name: constant, learningRate: 1 } }";
  expect(unreadSettings(source([own]))).toEqual([
    expect.stringContaining("arms.frozen.schedule.learningRate: tune.learningRate takes its place"),
  ]);
  expect(resolve([own]).arms.frozen.schedule).toMatchObject({ name: "constant", options: { learningRate: 0.01 } });
});

describe("the experiment's hash", () => {
  const hash = (...settings: string[]) => experimentHash(resolve(settings));

  test("is that of before without tune, and with null", () => {
    const rate = "schedule={ name: cosine, learningRate: 0.1 }";
    const without = experimentHash(resolve([rate], TUNED.replace(/tune.*\n/, "")));
    expect(hash(rate, "tune=null")).toBe(without);
    expect(hash(rate)).not.toBe(without);
  });

  test.each(["tune.learningRate=[0.1, 0.02]", "tune.seeds=2", "tune.validation=0.2", "primary=loss"])(
    "changes with %s",
    (setting) => {
      expect(hash(setting)).not.toBe(hash());
    },
  );

  test("not with the sequence of the rates", () => {
    expect(hash("tune.learningRate=[0.01, 0.1]")).toBe(hash());
  });
});

test("runs to tune by: each arm at each rate, of seeds of their own, whatever is fixed for those under test", () => {
  const config = resolve(["seeds={ count: 2, model: 0 }", "record={ scoreAll: true }", "tune.seeds=2"]);
  const trials = trialsOf(config, { learningRate: [0.01, 0.1], seeds: 2, validation: 0.1, measure: "accuracy" });
  expect(Object.keys(trials.arms)).toEqual(["frozen-lr0.01", "frozen-lr0.1", "shuffled-lr0.01", "shuffled-lr0.1"]);
  expect(trials.seeds).toEqual([1_000_000, 1_000_001]);
  expect(trials).toMatchObject({ comparisons: [], record: { scoreAll: false, images: 0 } });
  expect([trials.fixedSeeds, trials.tune, trials.baseline]).toEqual([undefined, undefined, undefined]);
  expect(trials.arms["frozen-lr0.1"]).toMatchObject({
    dataset: { subset: 100, heldOut: 0.1 },
    schedule: { options: { learningRate: 0.1 } },
  });
  expect([trialName("a", 1e-7), trialName("a", 1e21)]).toEqual(["a-lr1e-7", "a-lr1e21"]);
});

test.each([
  [["tune.learningRate=[0.1]"], "tune.learningRate: expected at least 2 learning rates to choose from, not [0.1]"],
  [["tune.learningRate=[0.1, 0.1]"], "tune.learningRate: expected each learning rate once"],
  [["tune.learningRate=[0, 0.1]"], "tune.learningRate.0: "],
  [
    ["tune.seeds=10000", `tune.learningRate=[${Array.from({ length: 10 }, (_, at) => (at + 1) / 100)}]`],
    "tune: 2 arms × 10 rates × 10000 seeds are 200000 runs, expected at most 100000: lower one",
  ],
  [
    [`tune.learningRate=[${Array.from({ length: 1001 }, (_, at) => at + 1)}]`],
    "tune.learningRate: expected at most 1000 entries, not [1,2,3",
  ],
  [["tune.validation=1"], "tune.validation: "],
  [["tune.rates=[1]"], "tune.rates: unknown key"],
  [
    ["seeds=[0, 1000001]"],
    "seeds: 1000001 is one that learning rates are tuned with (1000000 … 1000008): take another one",
  ],
  [
    ["seeds={ count: 2, model: 1000000 }"],
    "seeds.model: 1000000 is one that learning rates are tuned with (1000000 … 1000008): take another one",
  ],
  [
    ["dataset.subsetSeed=run"],
    'dataset.subsetSeed: arm "frozen" has other samples for each seed, and learning rates are tuned on one part of them for all: with tune take fixed',
  ],
  [
    ["arms.shuffled.dataset.subset=50"],
    'arm "shuffled" has another dataset section than arm "frozen", so no part would be the same for both: with tune all arms take the same samples',
  ],
])("%j is refused", (settings, expected) => {
  expect(mistake(() => resolve(settings))).toContain(expected);
});

test.each([
  [
    "replay",
    'x: order.replay: arm "frozen" replays a run that trained on the samples on which learning rates are tuned: ',
  ],
  ["from", 'x: order.from: arm "frozen" chooses by runs that knew the samples on which learning rates are tuned: '],
])("an order that needs other runs (%s) is refused, with the arm's name and what to do", (origin, expected) => {
  const { frozen } = resolve().arms;
  const order = { ...frozen.order, [origin]: { directory: "../runs/a", identity: "" } };
  const checker = new Checker((path) => `x: ${path.join(".")}`);
  const said = mistake(() => refuseUntunable(checker, "frozen", { frozen: { ...frozen, order } }));
  expect(said.startsWith(expected)).toBe(true);
  expect(said).toMatch(/with tune leave it out, or give each arm its learningRate and leave tune out$/);
});

test("wrong labels in one arm alone are no other samples", () => {
  const { arms } = resolve(["arms.shuffled.dataset.labelNoise={ fraction: 0.2 }"]);
  expect(arms.shuffled.dataset).toMatchObject({ labelNoise: { fraction: 0.2 } });
  expect(tuningSeeds({ seeds: 1 })).toEqual([1_000_000]);
});
