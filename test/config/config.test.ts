import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import type { Catalogue } from "../../src/backend/messages.js";
import { armHash, type ExperimentConfig, experimentHash, resolveConfig } from "../../src/config/config.js";
import { ConfigSource } from "../../src/config/config-source.js";
import { OrderSources } from "../../src/config/order-sources.js";
import { ORDERS } from "../../src/orders/index.js";
import { packageRoot } from "../../src/package-root.js";
import { mistake } from "../mistake.js";
import { catalogue } from "./fake-catalogue.js";

/** Line 1 is `name: small`; every mistake below is written into this text. */
const SMALL = `name: small
dataset: { name: digits, subset: 100 }
model: mnist-cnn
optimizer: { name: sgd, momentum: 0.9 }
schedule: { name: constant, learningRate: 0.1 }
batching: { name: constant, size: 10 }
order: shuffled
epochs: 2
seeds: 2
arms:
  frozen:
    order: frozen
  shuffled:
`;

function resolve(text: string, settings: readonly string[] = [], from: Catalogue | undefined = catalogue) {
  const said = settings.map((assignment) => ({ said: `--set ${assignment}`, assignment }));
  return resolveConfig(ConfigSource.parse(text, "x.yaml", said), OrderSources.builtIn, from);
}

/** SMALL with this line in place of the one that starts alike, or below all. */
function having(line: string): string {
  const key = line.slice(0, line.indexOf(":") + 1);
  const lines = SMALL.trimEnd().split("\n");
  const at = lines.findIndex((other) => other.startsWith(key));
  if (at < 0) return `${SMALL}${line}\n`;
  return `${lines.with(at, line).join("\n")}\n`;
}

test("the config that docs/CONFIG.md begins with is a whole one, and its --set fits it", () => {
  const page = readFileSync(join(packageRoot, "docs", "CONFIG.md"), "utf8");
  const [, text = ""] = /```yaml\n([\s\S]*?)```/.exec(page) ?? [];
  const [, setting = ""] = /`--set (arms[^`]*)`/.exec(page) ?? [];
  const { arms } = resolve(text, [setting]);
  expect([arms.shuffled.epochs, arms.frozen.epochs]).toEqual([2, 3]);
});

describe("a mistake is one sentence: where, what was given, what to do", () => {
  test.each([
    // keys
    ["modl: mnist-cnn", "x.yaml:14: modl: unknown key; did you mean `model`?"],
    [
      "banana: 1",
      "x.yaml:14: banana: unknown key; known: name, seeds, baseline, comparisons, primary, tune, targetAccuracy, equivalenceMargin, evaluation, record, " +
        "checkpoint, backend, dataset, model, loss, optimizer, schedule, batching, order, augmentation, precision, microBatch, epochs, budget, arms",
    ],
    ["primary: both", 'x.yaml:14: primary: expected one of accuracy, loss, not "both"'],
    ["evaluation: { evry: 2 }", "x.yaml:14: evaluation.evry: unknown key; did you mean `every`?"],
    [
      "evaluation: { banana: 2 }",
      "x.yaml:14: evaluation.banana: unknown key; known: every, perEpoch, averaged, batchSize, trainSample, batchNorm, batchNormSample",
    ],
    [
      "backend: { heartbeat: { x: 1 } }",
      "x.yaml:14: backend.heartbeat.x: unknown key; known: everySeconds, limitSeconds",
    ],
    ["backend: { startSeconds: 1.0e+9 }", "x.yaml:14: backend.startSeconds: expected at most 86400, not 1000000000"],
    [
      "backend: { heartbeat: { limitSeconds: .inf } }",
      "x.yaml:14: backend.heartbeat.limitSeconds: expected a number, not Infinity",
    ],
    [
      "backend: { heartbeat: { everySeconds: 86401 } }",
      "x.yaml:14: backend.heartbeat.everySeconds: expected at most 86400, not 86401",
    ],
    ["augmentation: { flp: true }", "x.yaml:14: augmentation.flp: unknown key; did you mean `flip`?"],
    ["batching: { name: constant, sise: 10 }", "x.yaml:6: batching.sise: unknown key; did you mean `size`?"],
    ["batching: { name: constant, size: 10, sise: 1 }", "x.yaml:6: batching.sise: unknown key; did you mean `size`?"],
    [
      "schedule: { name: constant, learningRate: 0.1, lr: 1 }",
      "x.yaml:5: schedule.lr: unknown key; known: learningRate, warmupEpochs, warmupFrom",
    ],
    ["order: { name: shuffled, sequence: file }", "x.yaml:7: order.sequence: unknown key; there are no options here"],
    // keys that the backend knows
    ["optimizer: { name: sgd, momentm: 1 }", "x.yaml:4: optimizer.momentm: unknown key; did you mean `momentum`?"],
    ["model: { name: mnist-cnn, x: 1 }", "x.yaml:3: model.x: unknown key; known: name, padding, dropout"],
    ["dataset: { name: digits, subst: 1 }", "x.yaml:2: dataset.subst: unknown key; did you mean `subset`?"],
    // names
    [
      "order: { name: homogenous }",
      'x.yaml:7: order: there is no order "homogenous". Did you mean "homogeneous"? ' +
        `Known: ${[...ORDERS.map(({ name }) => name), "replay"].join(", ")}.`,
    ],
    [
      "schedule: { name: cosinus, learningRate: 0.1 }",
      'x.yaml:5: schedule: there is no schedule "cosinus". Did you mean "cosine"? Known: constant, step, cosine, one-cycle.',
    ],
    ["order: replay", "x.yaml:7: order: expected the run to replay: order: { replay: DIRECTORY }"],
    [
      "batching: constnat",
      'x.yaml:6: batching: there is no batching "constnat". Did you mean "constant"? Known: constant, linear, geometric, steps.',
    ],
    [
      "model: mnist",
      'x.yaml:3: model: there is no model "mnist". Did you mean "mnist-cnn"? Known: mnist-cnn, fashion-mnist-cnn, resnet18.',
    ],
    ["optimizer: sgdm", 'x.yaml:4: optimizer: there is no optimizer "sgdm". Did you mean "sgd"? Known: sgd, adam.'],
    [
      "dataset: zzz",
      'x.yaml:2: dataset: there is no dataset "zzz". Known: digits, mnist, fashion-mnist, cifar10, cifar100.',
    ],
    // types and ranges
    ["epochs: two", 'x.yaml:8: epochs: expected a number, not "two"'],
    ['epochs: "2"', 'x.yaml:8: epochs: expected a number, not "2"'],
    ["epochs: 2.5", "x.yaml:8: epochs: expected an integer, not 2.5"],
    ["loss: { name: cross-entropy, labelSmoothing: 1 }", "x.yaml:14: loss.labelSmoothing: expected less than 1, not 1"],
    ["loss: focal", 'x.yaml:14: loss.name: expected cross-entropy, not "focal"'],
    [
      "loss: { name: cross-entropy, smoothing: 0.1 }",
      "x.yaml:14: loss.smoothing: unknown key; did you mean `labelSmoothing`?",
    ],
    ["loss: {}", "x.yaml:14: loss: expected exactly one of name and reference, not {}"],
    ["epochs: 0", "x.yaml:8: epochs: expected at least 1, not 0"],
    ["epochs: .nan", "x.yaml:8: epochs: expected a number, not NaN"],
    ["epochs:", "x.yaml:8: epochs: expected a number, not null"],
    ["batching: { name: constant, size: 0 }", "x.yaml:6: batching.size: expected at least 1, not 0"],
    ["schedule: { name: constant, learningRate: 0 }", "x.yaml:5: schedule.learningRate: expected more than 0, not 0"],
    [
      "schedule: { name: step, learningRate: 0.1, milestones: [2, 1] }",
      "x.yaml:5: schedule.milestones: must rise, not [2,1]",
    ],
    ["precision: float16", 'x.yaml:14: precision: expected one of float32, tf32, bfloat16, not "float16"'],
    ["augmentation: { crop: 65 }", "x.yaml:14: augmentation.crop: expected at most 64, not 65"],
    ["augmentation: { flip: 1 }", "x.yaml:14: augmentation.flip: expected true or false, not 1"],
    ["augmentation: yes please", 'x.yaml:14: augmentation: expected a map with some of crop, flip, not "yes please"'],
    ["dataset: { name: digits, subset: 0 }", "x.yaml:2: dataset.subset: expected at least 1, not 0"],
    // an order's origin
    ["order: {}", "x.yaml:7: order: expected exactly one of name, file and replay, not {}"],
    [
      "order: { name: shuffled, replay: runs/x }",
      'x.yaml:7: order: expected exactly one of name, file and replay, not {"name":"shuffled","replay":"runs/x"}',
    ],
    [
      "order: { file: ./x.mjs, replay: runs/x }",
      'x.yaml:7: order: expected exactly one of name, file and replay, not {"file":"./x.mjs","replay":"runs/x"}',
    ],
    ["order: { file: 3 }", "x.yaml:7: order.file: expected a text, not 3"],
    ["microBatch: 0", "x.yaml:14: microBatch: expected at least 1, not 0"],
    ["epochs: -1", "x.yaml:8: epochs: expected at least 1, not -1"],
    [
      "schedule: { name: constant, learnngRate: 0.1 }",
      "x.yaml:5: schedule.learnngRate: unknown key; did you mean `learningRate`?",
    ],
    [
      "model: [mnist-cnn]",
      'x.yaml:3: model: expected a name, or a map of a name and options, as in { name: mnist-cnn }, not ["mnist-cnn"]',
    ],
    ["model: { padding: same }", 'x.yaml:3: model: expected exactly one of name and reference, not {"padding":"same"}'],
    ["model: { name: 3 }", "x.yaml:3: model.name: expected a name, see `ibatch list`, not 3"],
    ["model: { name: mnist-cnn, padding: 1 }", "x.yaml:3: model.padding: expected one of none, same, not 1"],
    ["model: { name: mnist-cnn, dropout: 1 }", "x.yaml:3: model.dropout: expected at most 0.99, not 1"],
    ["name: a b", 'x.yaml:1: name: expected letters, digits, dots, dashes and underscores, not "a b"'],
    ["name: ../a", 'x.yaml:1: name: expected letters, digits, dots, dashes and underscores, not "../a"'],
    // seeds
    ["seeds: 0", "x.yaml:9: seeds: expected at least 1, not 0"],
    ["seeds: 123456", "x.yaml:9: seeds: expected at most 10000, not 123456"],
    ["evaluation: { perEpoch: 1001 }", "x.yaml:14: evaluation.perEpoch: expected at most 1000, not 1001"],
    ["backend: { threads: 1025 }", "x.yaml:14: backend.threads: expected at most 1024, not 1025"],
    ["seeds: []", "x.yaml:9: seeds: expected at least 1 entry, not []"],
    ["seeds: many", 'x.yaml:9: seeds: expected a number, or a list, or a map, not "many"'],
    ["seeds: [0, 1, 0]", "x.yaml:9: seeds names 0 twice"],
    [
      "dataset: { name: digits, subsetSeed: run }",
      "x.yaml:2: dataset.subsetSeed: run: expected dataset.subset, for there is nothing to draw without",
    ],
    [
      "batching: { name: constant, size: 8, ratesOf: { name: linear, from: 8, to: 9 } }",
      "x.yaml:6: batching.learningRate: expected linear or sqrt with ratesOf: with none rates are as scheduled",
    ],
    [
      "batching: { name: constant, size: 8, learningRate: linear, ratesOf: { name: linear, from: 8 } }",
      "x.yaml:6: batching.ratesOf.to: is missing: expected a number",
    ],
    ["seeds: { model: 0 }", "x.yaml:9: seeds.count: is missing: expected a number, or a list"],
    [
      "seeds: { count: 2, model: 0, order: 0, noise: 0 }",
      "x.yaml:9: seeds: expected one or two of model, order and noise: with all three fixed every run would be the same one, " +
        'not {"count":2,"model":0,"order":0,"noise":0}',
    ],
    ["seeds: [0, -1]", "x.yaml:9: seeds.1: expected at least 0, not -1"],
    ["seeds: [4294967296]", "x.yaml:9: seeds.0: expected at most 4294967295, not 4294967296"],
    ["seeds: [0, one]", 'x.yaml:9: seeds.1: expected a number, not "one"'],
    // running
    ["baseline: shufled", 'x.yaml:14: baseline: no arm "shufled"; did you mean `shuffled`?'],
    ["backend: { threads: 0 }", "x.yaml:14: backend.threads: expected at least 1, not 0"],
    ["backend: { threads: all }", 'x.yaml:14: backend.threads: expected auto, or a number, not "all"'],
    ["backend: { device: gpu }", 'x.yaml:14: backend.device: expected auto, cpu or cuda:N, not "gpu"'],
    [
      "backend: { listen: localhost }",
      'x.yaml:14: backend.listen: expected ipc, or tcp://127.0.0.1:PORT, not "localhost"',
    ],
    ["record: { orders: none }", 'x.yaml:14: record.orders: expected one of full, hash, not "none"'],
    // arms
    ["arms: {}", "x.yaml:10: `arms` must name at least one arm, as in arms: { shuffled: { order: shuffled } }"],
    [
      "arms: { a: shuffled }",
      'x.yaml:10: arm "a": expected a map of what differs, as in { order: shuffled }, not "shuffled"',
    ],
    ["arms: { a b: {} }", 'x.yaml:10: arm "a b": expected letters, digits, dots, dashes and underscores'],
    ["arms: { ../a: {} }", 'x.yaml:10: arm "../a": expected letters, digits, dots, dashes and underscores'],
    [
      "arms: { Weighted: {}, weighted: {} }",
      'x.yaml:10: arm "Weighted": arm "weighted" differs in capitals alone, and some disks have one directory for both',
    ],
    ["arms: { Export: {} }", 'x.yaml:10: arm "Export": the run directory has something of its own under that name'],
    [`arms: { ${"a".repeat(201)}: {} }`, `x.yaml:10: arm "${"a".repeat(201)}": expected at most 200 characters`],
    ["arms: { lock: {} }", 'x.yaml:10: arm "lock": the run directory has something of its own under that name'],
  ])("%s", (line, expected) => {
    const text = line.startsWith("arms:") ? SMALL.slice(0, SMALL.indexOf("arms:")) + line : having(line);
    expect(mistake(() => resolve(text))).toBe(expected);
  });

  test.each([
    ["name", "x.yaml: name: is missing: expected a text"],
    ["seeds", "x.yaml: seeds: is missing: expected a number, or a list, or a map"],
    [
      "dataset",
      "x.yaml: dataset: is missing: expected a name, or a map of a name and options, as in { name: mnist, subset: 1000 }",
    ],
    ["model", "x.yaml: model: is missing: expected a name, or a map of a name and options, as in { name: mnist-cnn }"],
    [
      "optimizer",
      "x.yaml: optimizer: is missing: expected a name, or a map of a name and options, as in { name: sgd, momentum: 0.9 }",
    ],
    ["epochs", "x.yaml: epochs: is missing: expected the length of a run: exactly one of epochs and budget"],
  ])("%s left out", (key, expected) => {
    expect(mistake(() => resolve(SMALL.replace(new RegExp(`^${key}:.*\n`, "m"), "")))).toBe(expected);
  });

  test("arms left out", () => {
    expect(mistake(() => resolve(SMALL.slice(0, SMALL.indexOf("arms:"))))).toBe(
      "x.yaml: `arms` must name at least one arm, as in arms: { shuffled: { order: shuffled } }",
    );
  });

  test("an arm that has no order where others have one is named, with the --set that made it so", () => {
    const text = SMALL.replace(/^order:.*\n/m, "").replace("shuffled:\n", "shuffled: { order: shuffled }\n");
    expect(mistake(() => resolve(text, ["arms.bare=null"]))).toMatch(
      /^--set arms\.bare=null: arms\.bare\.order: is missing: expected a name/,
    );
  });

  test("a length that --set says takes the place of the other one in the file, in an arm, too; two are refused", () => {
    const lengthsOf = (...settings: string[]) => {
      const { epochs, budget } = resolve(SMALL, settings).arms[Object.keys(resolve(SMALL).arms)[0]];
      return { epochs, budget };
    };
    expect(lengthsOf("budget.updates=30")).toEqual({ epochs: undefined, budget: { updates: 30 } });
    expect(lengthsOf("epochs=null", "budget.updates=20")).toEqual({ epochs: undefined, budget: { updates: 20 } });
    expect(lengthsOf("budget={samples: 5}", "epochs=4", "budget=null")).toEqual({ epochs: 4, budget: undefined });
    expect(mistake(() => resolve(SMALL, ["budget.updates=30", "epochs=4"]))).toBe(
      "--set epochs=4: epochs: expected the length of a run: exactly one of epochs and budget, and not both",
    );
    const arm = Object.keys(resolve(SMALL).arms)[0];
    expect(
      resolve(SMALL, [`arms.${arm}.epochs=2`, `arms.${arm}.budget.updates=9`, `arms.${arm}.epochs=null`]).arms[arm]
        .budget,
    ).toEqual({
      updates: 9,
    });
  });

  test("null takes the length away that it is set for, and no other", () => {
    expect(resolve(having("epochs: 2"), ["budget=null"]).arms.frozen.epochs).toBe(2);
  });

  const averaging = "evaluation: { averaged: { last: 0.25 } }";
  test.each<[string, string, string, (config: ReturnType<typeof resolve>) => unknown, object]>([
    ["a unit", "budget: { samples: 400 }", "budget.updates=3", ({ arms }) => arms.shuffled.budget, { updates: 3 }],
    ["a mean", averaging, "evaluation.averaged.decay=0.9", (all) => all.evaluation.averaged, { decay: 0.9 }],
    ["devices", "backend: { devices: [cpu, cpu] }", "backend.device=cuda", (all) => all.backend, { device: "cuda" }],
    ["a model", "model: mnist-cnn", "model.reference=a:b", ({ arms }) => arms.shuffled.model, { name: "a:b" }],
  ])("what --set says takes the place of its sibling in the file: %s", (_, line, setting, of, expected) => {
    const text = line.startsWith("budget") ? SMALL.replace("epochs: 2", line) : having(line);
    const found = of(resolve(text, [setting], undefined));
    expect(found).toMatchObject(expected);
    expect(JSON.stringify(found)).not.toMatch(/samples|last|devices|mnist/);
  });

  test("in an arm, too; two siblings that --set says are refused by the last of them", () => {
    const text = SMALL.replace("order: frozen\n", "order: frozen\n    budget: { samples: 400 }\n");
    expect(resolve(text, ["arms.frozen.budget.updates=3"]).arms.frozen.budget).toEqual({ updates: 3 });
    expect(mistake(() => resolve(text, ["budget.samples=4", "budget.updates=3"]))).toBe(
      "--set budget.updates=3: budget: expected exactly one of epochs, updates, samples and forwardEquivalents, " +
        'not {"samples":4,"updates":3}',
    );
  });

  test.each([
    ["seeds={count: 2, modell: 0}", "seeds.modell: unknown key; did you mean `model`?"],
    ["seeds={count: 2, banana: 0}", "seeds.banana: unknown key; known: count, model, order, noise"],
    ["budget=5", "budget: expected a map with some of epochs, updates, samples, forwardEquivalents, not 5"],
    ["dataset.labelNoise=0.2", "dataset.labelNoise: expected a map with some of fraction, seed, not 0.2"],
  ])("--set %s: the keys that there are", (setting, expected) => {
    expect(mistake(() => resolve(SMALL, [setting]))).toBe(`--set ${setting}: ${expected}`);
  });

  test("what a --set did names the --set", () => {
    expect(mistake(() => resolve(SMALL, ["batching.size=0"]))).toBe(
      "--set batching.size=0: batching.size: expected at least 1, not 0",
    );
    expect(mistake(() => resolve(SMALL, ["epoch=3"]))).toBe(
      "--set epoch=3: epoch: unknown key; did you mean `epochs`?",
    );
    expect(mistake(() => resolve(SMALL, ["optimizer.name=adamm"]))).toMatch(
      /^--set optimizer\.name=adamm: optimizer: there is no optimizer "adamm"/,
    );
    expect(mistake(() => resolve(SMALL, ["arms.frozen.order.name=hardest"]))).toMatch(
      /^--set arms\.frozen\.order\.name=hardest: arms\.frozen\.order: there is no order "hardest"/,
    );
  });

  test("without a catalogue, models, datasets and optimisers are taken as they are", () => {
    const { arms } = resolveConfig(
      ConfigSource.parse(having("model: { name: mine, x: 1 }"), "x.yaml"),
      OrderSources.builtIn,
      undefined,
    );
    expect(arms.frozen.model).toEqual({ name: "mine", options: { x: 1 } });
  });
});

describe("a mistake in an arm", () => {
  /** SMALL, with these lines as its arm `a` in line 11. */
  const withArm = (...lines: string[]) =>
    `${SMALL.slice(0, SMALL.indexOf("  frozen:"))}  a:\n${lines.map((line) => `    ${line}\n`).join("")}`;

  test.each([
    [
      "stands where the arm says it",
      ["epochs: 1", "order: frzen"],
      /^x\.yaml:13: arms\.a\.order: there is no order "frzen"/,
    ],
    [
      "that completes a section, too",
      ["optimizer:", "  momentm: 1"],
      /^x\.yaml:13: arms\.a\.optimizer\.momentm: unknown key/,
    ],
    ["is an unknown section", ["ordr: frozen"], /^x\.yaml:12: arms\.a\.ordr: unknown key; did you mean `order`\?$/],
    ["is a key that all arms share", ["seeds: 1"], /^x\.yaml:12: arms\.a\.seeds: unknown key; known: dataset, model/],
    [
      "that replaces a section is the arm's, even where the common section says that key",
      ["schedule:", "  name: step", "  milestones: [1]"],
      /^x\.yaml:12: arms\.a\.schedule\.learningRate: is missing: expected a number$/,
    ],
  ])("%s", (_, lines, expected) => {
    expect(mistake(() => resolve(withArm(...lines)))).toMatch(expected);
  });

  test("is the common line's where the arm completes that section without touching it", () => {
    const text = withArm("model:", "  dropout: 0.1").replace(
      "model: mnist-cnn",
      "model: { name: mnist-cnn, padding: 3 }",
    );
    expect(mistake(() => resolve(text))).toBe("x.yaml:3: model.padding: expected one of none, same, not 3");
  });

  test("is the common line's where the arm does not speak of that section", () => {
    expect(mistake(() => resolve(having("model: mnistcnn")))).toMatch(
      /^x\.yaml:3: model: there is no model "mnistcnn"/,
    );
  });
});

describe("an arm is what is common, and what it says itself", () => {
  const armOf = (override: string, settings: readonly string[] = []) =>
    resolve(`${SMALL.slice(0, SMALL.indexOf("  frozen:"))}  a: ${override}\n`, settings).arms.a;

  test("nothing said: the common sections", () => {
    expect(armOf("{}")).toEqual(resolve(SMALL).arms.shuffled);
    expect(armOf("")).toEqual(armOf("{}"));
  });

  test("a section without a name completes the common one", () => {
    expect(armOf("{ optimizer: { weightDecay: 0.1 } }").optimizer).toEqual({
      name: "sgd",
      options: { momentum: 0.9, weightDecay: 0.1, nesterov: false },
    });
  });

  test("a section of the same name completes it, too, and the arm's word wins", () => {
    expect(armOf("{ optimizer: { name: sgd, momentum: 0.5, nesterov: true } }").optimizer.options).toEqual({
      momentum: 0.5,
      weightDecay: 0,
      nesterov: true,
    });
  });

  test("a section of another name replaces it: nothing of the common one is left", () => {
    expect(armOf("{ optimizer: { name: adam } }", ["optimizer.weightDecay=0.5"]).optimizer).toEqual({
      name: "adam",
      options: { beta1: 0.9, weightDecay: 0 },
    });
    expect(armOf("{ optimizer: adam }")).toEqual(armOf("{ optimizer: { name: adam } }"));
  });

  test("a section without names is completed", () => {
    expect(armOf("{ augmentation: { flip: true } }", ["augmentation.crop=4"]).augmentation).toEqual({
      crop: 4,
      flip: true,
    });
  });

  test("a number is replaced", () => {
    expect(armOf("{ epochs: 7, precision: bfloat16 }")).toMatchObject({ epochs: 7, precision: "bfloat16" });
  });

  test("an arm may say all by itself", () => {
    const text = SMALL.replace("order: shuffled\n", "").replace("  shuffled:\n", "  mixed: { order: shuffled }\n");
    expect(Object.keys(resolve(text).arms)).toEqual(["frozen", "mixed"]);
  });
});

describe("what is not said", () => {
  test("is filled in with its default, and stands in what is recorded", () => {
    const { base: _, ...config } = resolve(SMALL);
    const common = {
      dataset: { name: "digits", options: {}, subset: 100, validation: 0 },
      model: { name: "mnist-cnn", options: { padding: "none", dropout: 0.5 } },
      optimizer: { name: "sgd", options: { momentum: 0.9, weightDecay: 0, nesterov: false } },
      schedule: { name: "constant", options: { learningRate: 0.1, warmupEpochs: 0, warmupFrom: 0.1 } },
      batching: { name: "constant", options: { size: 10, learningRate: "none", baseSize: null } },
      augmentation: { crop: 0, flip: false },
      precision: "float32",
      microBatch: null,
      epochs: 2,
    };
    expect(config).toEqual({
      name: "small",
      seeds: [0, 1],
      baseline: "shuffled",
      comparisons: [{ arm: "frozen", with: "shuffled" }],
      primary: "accuracy",
      targetAccuracy: null,
      equivalenceMargin: null,
      evaluation: { every: 1, batchSize: 500, trainSample: 2000, batchNorm: "running", batchNormSample: 1000 },
      record: { orders: "full", signals: "full", scoreAll: false, images: 8 },
      checkpoint: { everyEpochs: 1, everyBatches: null, everySeconds: 60, leastSeconds: 5, keep: 2, final: false },
      backend: {
        restarts: 3,
        equalBits: false,
        channelsLast: "auto",
        fast: true,
        device: "auto",
        threads: "auto",
        listen: "ipc",
        orderSeconds: 600,
        chunkBatches: 50,
        startSeconds: 120,
        heartbeat: { everySeconds: 1, limitSeconds: 30 },
        stallSeconds: 3600,
      },
      arms: {
        frozen: { ...common, order: { name: "frozen", options: { sequence: "file" }, changesObjective: false } },
        shuffled: { ...common, order: { name: "shuffled", options: {}, changesObjective: false } },
      },
    });
  });

  test("seeds apart: runs as without, and what they have in common; the hash knows of it", () => {
    const apart = resolve(having("seeds: { count: 3, model: 7, noise: 0 }"));
    expect(apart).toMatchObject({ seeds: [0, 1, 2], fixedSeeds: { model: 7, noise: 0 } });
    expect(resolve(having("seeds: { count: [5, 2], order: 1 }"))).toMatchObject({
      seeds: [5, 2],
      fixedSeeds: { order: 1 },
    });
    const plain = resolve(having("seeds: { count: 3 }"));
    expect(plain).toEqual(resolve(having("seeds: 3")));
    expect(experimentHash(apart)).not.toBe(experimentHash(plain));
  });

  test("a number of seeds is 0 … N-1, a list is taken as it is", () => {
    expect(resolve(having("seeds: 3")).seeds).toEqual([0, 1, 2]);
    expect(resolve(having("seeds: [5, 0]")).seeds).toEqual([5, 0]);
  });

  test("the baseline is the arm called shuffled, or none", () => {
    expect(resolve(SMALL).baseline).toBe("shuffled");
    expect(resolve(having("baseline: frozen")).baseline).toBe("frozen");
    expect(resolve(SMALL.replace("  shuffled:\n", "")).baseline).toBeUndefined();
  });
});

test("more runs than memory has room for are refused: a long list of seeds, or many arms with many seeds", () => {
  const listed = Array.from({ length: 10_001 }, (_, seed) => seed);
  expect(mistake(() => resolve(SMALL, [`seeds=[${listed}]`]))).toContain("seeds: expected at most 10000 entries");
  const arms = Array.from({ length: 11 }, (_, at) => `a${at}: { order: frozen }`);
  expect(mistake(() => resolve(SMALL, ["seeds=10000", `arms={ ${arms.join(", ")} }`]))).toBe(
    "--set seeds=10000: seeds: 11 arms × 10000 seeds are 110000 runs, expected at most 100000: lower one",
  );
});

describe("every config that comes along", () => {
  const studies = ["cifar10", "cifar100", "fashion-mnist", "mnist"];
  const importance = [
    "digits-importance",
    "mnist-importance",
    "online",
    "halves",
    "label-noise",
    "methods-sources",
    "methods",
    "online-exchanged",
    "batch-sizes",
    "tuned",
    "recency",
  ];
  const BASELINES: Readonly<Record<string, string>> = { halves: "random-half", precision: "float32" };
  const read = (name: string) => {
    const path = join(packageRoot, "configs", `${name}.yaml`);
    expect(readFileSync(path, "utf8"), "a header that says what it shows").toMatch(/^# /);
    const config = resolveConfig(ConfigSource.read(path), OrderSources.builtIn, catalogue);
    expect(config.name).toBe(name);
    expect(config.baseline).toBe(BASELINES[name] ?? "shuffled");
    const anew = Object.values(config.arms).filter(({ meantAnew }) => meantAnew !== undefined);
    expect(anew, "no recorded result is another one").toEqual([]);
    return config;
  };
  const ordersOf = (name: string) => Object.entries(read(name).arms).map(([arm, { order }]) => [arm, order.name]);
  const FOUR = ["frozen", "shuffled", "homogeneous", "heterogeneous"].map((order) => [order, order]);

  test("precision: its arms differ in that alone, and a GPU's arm is added as its header says", () => {
    const { arms, equivalenceMargin, seeds } = read("precision");
    const { float32, bfloat16 } = arms;
    expect(bfloat16).toEqual({ ...float32, precision: "bfloat16" });
    expect({ equivalenceMargin, seeds: seeds.length }).toEqual({ equivalenceMargin: 0.003, seeds: 12 });
    const path = join(packageRoot, "configs", "precision.yaml");
    const shown = [...readFileSync(path, "utf8").matchAll(/--set '([^']+)'/g)].map(([, assignment]) => assignment);
    const settings = shown.map((assignment) => ({ said: `--set ${assignment}`, assignment }));
    const onGpu = resolveConfig(ConfigSource.read(path, settings), OrderSources.builtIn, catalogue);
    expect(onGpu.arms.tf32).toEqual({ ...float32, precision: "tf32" });
    expect(onGpu.comparisons.map(({ arm }) => arm)).toEqual(["bfloat16", "tf32"]);
  });

  test("is there", () => {
    const names = readdirSync(join(packageRoot, "configs")).map((file) => file.replace(/\.yaml$/, ""));
    expect(names.sort()).toEqual(
      [...studies, ...importance, "digits", "cifar10-batch-norm", "cifar10-fast", "precision"].sort(),
    );
  });

  const headers = readdirSync(join(packageRoot, "configs")).flatMap((file): [string, number][] => {
    const text = readFileSync(join(packageRoot, "configs", file), "utf8");
    const [, runs] = /Time: (\d+) runs(?! that tune)/.exec(text) ?? [];
    return runs === undefined ? [] : [[file, Number(runs)]];
  });
  test.each(headers)("the header of %s has the number of its runs: %i", (file, runs) => {
    const shape = z.object({ arms: z.record(z.string(), z.unknown()), seeds: z.union([z.int(), z.array(z.int())]) });
    const { arms, seeds } = shape.parse(ConfigSource.read(join(packageRoot, "configs", file)).value);
    expect(runs).toBe(Object.keys(arms).length * (Array.isArray(seeds) ? seeds.length : seeds));
  });

  test("digits resolves: the four orders of the study", () => {
    expect(ordersOf("digits")).toEqual(FOUR);
  });

  test.each(studies)(
    "%s resolves: the four orders of the study, its next steps and controls, its own dataset",
    (name) => {
      expect(ordersOf(name)).toEqual([
        ...FOUR,
        ["homogeneous-mixed", "homogeneous"],
        ["hardest-first", "loss-global"],
        ["easiest-first", "loss-global"],
        ["per-class", "loss-per-class"],
        ["weighted", "weighted"],
        ["weighted-half", "weighted"],
        ["growing", "shuffled"],
        ["shrinking", "shuffled"],
        ["hardest-first-placebo", "loss-global"],
        ["random-half", "random-subset"],
      ]);
      for (const arm of Object.values(read(name).arms)) expect(arm.dataset.name).toBe(name);
    },
  );

  test("cifar10-fast resolves: the short recipe, as its header says", () => {
    const { arms, targetAccuracy } = read("cifar10-fast");
    const { loss, optimizer, schedule, batching, precision, epochs } = arms.shuffled;
    expect({ targetAccuracy, precision, epochs, loss }).toEqual({
      targetAccuracy: 0.94,
      precision: "bfloat16",
      epochs: 24,
      loss: { name: "cross-entropy", options: { labelSmoothing: 0.2 } },
    });
    expect(optimizer.options).toMatchObject({ momentum: 0.9, nesterov: true, weightDecay: 5e-4 });
    expect(schedule.options).toMatchObject({ learningRate: 0.4, peakAt: 0.2083, finalFactor: 0 });
    expect(batching.options).toMatchObject({ size: 512, lastBatch: "drop" });
  });

  test.each([...studies, "cifar10-fast"])("the --set lines in the header of %s are ones that it takes", (name) => {
    const path = join(packageRoot, "configs", `${name}.yaml`);
    const text = readFileSync(path, "utf8");
    const small = text.slice(
      text.indexOf("# Small, 2 cores") + 1 || text.indexOf("Small, 2 cores"),
      text.indexOf("\nname: "),
    );
    const said = [...small.replaceAll("\n#  ", "").matchAll(/--set (?:"([^"]+)"|(\S+))/g)];
    const settings = said.map(([all, quoted, plain]) => ({ said: all, assignment: quoted ?? plain }));
    expect(settings.length).toBeGreaterThan(1);
    const config = resolveConfig(ConfigSource.read(path, settings), OrderSources.builtIn, catalogue);
    expect(config.arms.shuffled.dataset.subset).toBeLessThanOrEqual(10_000);
  });

  test("cifar10-batch-norm resolves: three compositions by two normalisations", () => {
    const source = ConfigSource.read(join(packageRoot, "configs", "cifar10-batch-norm.yaml"));
    const { arms } = resolveConfig(source, OrderSources.builtIn, undefined); // the made-up catalogue has no norm
    const norms = Object.values(arms).map(({ order, model }) => `${order.name} ${model.options.norm ?? "batch"}`);
    expect(norms.sort()).toEqual([
      "homogeneous batch",
      "homogeneous batch",
      "homogeneous group",
      "homogeneous group",
      "shuffled batch",
      "shuffled group",
    ]);
  });

  test.each([
    ["digits-importance", "twelve", 12],
    ["mnist-importance", "Three comparisons", 3],
    ["online", "ten planned comparisons", 10],
    ["halves", "five planned comparisons", 5],
    ["label-noise", "five planned comparisons", 5],
    ["batch-sizes", "eleven planned comparisons", 11],
    ["tuned", "Three planned comparisons", 3],
  ])("%s resolves: seeds enough for the comparisons that its header plans", (name, said, comparisons) => {
    expect(readFileSync(join(packageRoot, "configs", `${name}.yaml`), "utf8")).toContain(said);
    expect(read(name).comparisons).toHaveLength(comparisons);
    // The floor of the exact Wilcoxon test, 2 / 2^n, times Holm's factor for the smallest of all p values.
    expect((2 / 2 ** read(name).seeds.length) * comparisons).toBeLessThan(0.05);
  });
});

// --- hashes

describe("the experiment's hash", () => {
  const hash = (text: string, settings?: readonly string[]) => experimentHash(resolve(text, settings));
  const plain = hash(SMALL);

  test.each([
    ["seeds", "seeds: 5"],
    ["arms", "  other: { order: homogeneous }"],
    ["the device and the threads", "backend: { device: cpu, threads: 1, chunkBatches: 1 }"],
    ["how images lie in memory", "backend: { channelsLast: off }"],
    ["what is recorded", "record: { orders: hash, signals: last }"],
    ["what Ray keeps for a backend", "backend: { resources: { cpus: 4, gpus: 1, memory: 16 } }"],
    ["the baseline", "baseline: frozen"],
    ["the primary measure", "primary: loss"],
    ["a name alone or as a map", "model: { name: mnist-cnn }"],
  ])("is the same whatever %s", (_, line) => {
    expect(hash(having(line))).toBe(plain);
  });

  test("is the same whatever the order of the keys", () => {
    const lines = SMALL.split("\n");
    const turned = [...lines.slice(0, 9).reverse(), ...lines.slice(9)].join("\n");
    expect(turned).not.toBe(SMALL);
    expect(hash(turned)).toBe(plain);
  });

  test.each([
    ["name: other"],
    ["dataset: { name: digits, subset: 101 }"],
    ["model: resnet18"],
    ["optimizer: { name: sgd, momentum: 0.8 }"],
    ["schedule: { name: constant, learningRate: 0.2 }"],
    ["batching: { name: constant, size: 11 }"],
    ["epochs: 3"],
    ["precision: bfloat16"],
    ["precision: tf32"],
    ["loss: { name: cross-entropy, labelSmoothing: 0.1 }"],
    ["augmentation: { flip: true }"],
    ["evaluation: { every: 2 }"],
    ["evaluation: { trainSample: 10 }"],
  ])("changes with %s", (line) => {
    expect(hash(having(line))).not.toBe(plain);
  });
});

describe("an arm's hash", () => {
  const hash = (config: ExperimentConfig, arm = "frozen") => armHash(config.arms[arm], config.evaluation);
  const plain = hash(resolve(SMALL));

  test.each([
    "name: other",
    "seeds: 5",
    "backend: { device: cpu, threads: 1 }",
    "backend: { channelsLast: off }",
    "loss: cross-entropy",
    "loss: { name: cross-entropy, labelSmoothing: 0 }",
    "record: { orders: hash }",
    "model: { name: mnist-cnn }",
    "model: { padding: none, name: mnist-cnn }",
    "augmentation: { crop: 0 }",
  ])("is the same with %s: it is over what the arm is, defaults included", (line) => {
    expect(hash(resolve(having(line)))).toBe(plain);
  });

  test("is the same whether the arm says it or all arms share it", () => {
    const text = SMALL.replace("epochs: 2\n", "").replaceAll(/( {2}(?:frozen|shuffled):)\n/g, "$1\n    epochs: 2\n");
    expect(hash(resolve(text))).toBe(plain);
  });

  test("is another one for another arm", () => {
    expect(hash(resolve(SMALL), "shuffled")).not.toBe(plain);
  });

  test.each([
    "dataset: { name: digits, subset: 100, validation: 10 }",
    "model: { name: mnist-cnn, padding: same }",
    "optimizer: adam",
    "schedule: { name: cosine, learningRate: 0.1 }",
    "batching: { name: constant, size: 11 }",
    "epochs: 3",
    "precision: bfloat16",
    "precision: tf32",
    "loss: { name: cross-entropy, labelSmoothing: 0.1 }",
    "augmentation: { crop: 1 }",
    "microBatch: 4",
    "evaluation: { every: 2 }",
  ])("changes with %s", (line) => {
    expect(hash(resolve(having(line)))).not.toBe(plain);
  });
});
