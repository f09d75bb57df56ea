// Where an order's losses come from: scoring passes and training passes, as its ledger shows them.
import { beforeEach, describe, expect, test, vi } from "vitest";
import { armHash } from "../../src/config/config.js";
import { Interrupted } from "../../src/training/session.js";
import { madeUp, madeUpLoss, type Sent } from "./fake-backend.js";
import { CONFIG, resolved, Scene } from "./scene.js";
import { seen } from "./watching-order.js";

vi.mock("../../src/orders/index.js", async (original) => {
  const { ORDERS } = await original<typeof import("../../src/orders/index.js")>();
  const { watching } = await import("./watching-order.js");
  const all = [...ORDERS, watching];
  return { ORDERS: all, findOrder: (name: string) => all.find((entry) => entry.name === name) };
});

beforeEach(() => {
  seen.length = 0;
});

const { NaN: nan } = Number;
/** Scored losses are told from those of training by their sign. */
const scoredLoss = (index: number, step: number) => -madeUpLoss(index, step);

async function watch(order: string, settings: readonly string[] = [], pretence = {}) {
  const scene = new Scene();
  const ran = await scene.run({
    settings: [`arms={a: {order: {name: watching, ${order}}}}`, "seeds=1", ...settings],
    pretence: { scoredLoss, ...pretence },
  });
  return { scene, ...ran };
}

/** The work in its sequence, evaluations left out: `score 10` is a pass after ten steps. */
function asked(sent: readonly Sent[]): string[] {
  let step = 0;
  return sent.flatMap((message) => {
    if (message.type === "evaluate" || message.type === "images") return [];
    if (message.type === "score") return [`score ${step}`];
    if (message.type !== "train") return [message.type];
    const { firstStep } = message.fields;
    step = firstStep + message.arrays.learningRates.length;
    return [`train ${firstStep}`];
  });
}

/** All samples; each in its batch of 5 of the file's sequence, so at step `first + index / 5` of an epoch. */
const samples = Array.from({ length: 24 }, (_, index) => index);
const lossesInTraining = (firstStep: number) =>
  Float32Array.from(samples, (index) => madeUpLoss(index, firstStep + Math.floor(index / 5)));
const stepsInTraining = (firstStep: number) => Int32Array.from(samples, (index) => firstStep + Math.floor(index / 5));
const lossesScoredAt = (step: number) => Float32Array.from(samples, (index) => scoredLoss(index, step));
const epochOf5 = (first: number) => [`train ${first}`, `train ${first + 2}`, `train ${first + 4}`];

describe("start: scored", () => {
  test("scores exactly the eligible samples, after no step and before the first training, by the signals it declares", async () => {
    const { client } = await watch("start: scored, reads: [el2n, margin]", [
      "dataset.validation=3",
      "dataset.subset=18",
      "evaluation.batchSize=7",
      "backend.chunkBatches=100",
    ]);
    expect(asked(client.sent)).toEqual(["open", "score 0", "train 0", "train 4", "train 8", "close"]);
    const [score] = client.sentOf("score");
    const [train] = client.sentOf("train");
    expect(score.arrays.indices).toHaveLength(18);
    expect(score.arrays.indices).toEqual(train.arrays.indices);
    expect(score.fields).toEqual({
      session: "s1",
      signals: ["loss", "correct", "prediction", "el2n", "margin"],
      batchSize: 7,
    });
    expect(train.fields.signals).toEqual(["loss", "correct", "prediction", "margin", "el2n"]);
  });

  test("the first order sees them: seen at step 0, drawn never, NaN where not eligible", async () => {
    const { client } = await watch("start: scored, reads: [margin]", ["dataset.subset=20"]);
    const eligible = new Set(client.sentOf("score")[0].arrays.indices);
    const column = (value: (index: number) => number, absent: number) =>
      samples.map((index) => (eligible.has(index) ? value(index) : absent));
    const [{ epoch, step, ledger }] = seen;
    expect([epoch, step]).toEqual([0, 0]);
    expect([...ledger.loss]).toEqual(column((index) => Math.fround(scoredLoss(index, 0)), nan));
    expect([...ledger.meanLoss]).toEqual([...ledger.loss]);
    expect([...ledger.seenAtStep]).toEqual(column(() => 0, -1));
    expect([...ledger.correct]).toEqual(column((index) => index % 2, 255));
    expect([...(ledger.margin ?? [])]).toEqual(column((index) => madeUp.margin(index, 0), nan));
    expect(ledger.el2n).toBeUndefined();
    expect([...ledger.draws]).toEqual(column(() => 0, 0));
  });

  test("training passes then replace what was scored, each at its own step", async () => {
    await watch("start: scored, reads: [entropy], meanDecay: 0.75");
    const [, second, third] = seen.map(({ ledger }) => ledger);
    expect(second.loss).toEqual(lossesInTraining(0));
    expect(second.seenAtStep).toEqual(stepsInTraining(0));
    expect(second.meanLoss[7]).toBeCloseTo(0.75 * scoredLoss(7, 0) + 0.25 * madeUpLoss(7, 1), 6);
    expect(second.entropy?.[7]).toBe(madeUp.entropy(7, 1));
    expect(third.loss).toEqual(lossesInTraining(5));
    expect([...third.draws]).toEqual(samples.map(() => 2));
  });
});

test("start: shuffled, as by default, scores nothing: the first order sees no loss", async () => {
  const { client, scene } = await watch("");
  expect(client.sentOf("score")).toEqual([]);
  expect(seen[0].ledger.loss.every(Number.isNaN)).toBe(true);
  expect(seen[1].ledger.loss).toEqual(lossesInTraining(0));
  expect(scene.metrics("a", 0).map(({ scored }) => scored)).toEqual([0, 0, 0]);
  expect(scene.has("a/seed-0/signals/scored-loss")).toBe(false);
});

describe("signal: rescore", () => {
  test("every: 2 scores before the second epoch and every second one from there; from the first on where start says so", async () => {
    const scores = async (options: string) =>
      asked((await watch(options, ["epochs=5"])).client.sent).filter((what) => what !== "close" && what !== "open");
    const epoch = (number: number) => epochOf5(5 * number);
    expect(await scores("signal: rescore, every: 2")).toEqual([
      ...epoch(0),
      ...["score 5", ...epoch(1), ...epoch(2)],
      ...["score 15", ...epoch(3), ...epoch(4)],
    ]);
    expect(await scores("signal: rescore, every: 2, start: scored")).toEqual([
      ...["score 0", ...epoch(0), ...epoch(1)],
      ...["score 10", ...epoch(2), ...epoch(3)],
      ...["score 20", ...epoch(4)],
    ]);
  });

  test("every: 9 has losses from the second epoch on all the same: no epoch but the first is a shuffle for want of them", async () => {
    await watch("signal: rescore, every: 9", ["epochs=3"]);
    expect(seen.map(({ ledger }) => ledger.loss.every(Number.isNaN))).toEqual([true, false, false]);
  });

  test("every: 1, as by default, scores before each epoch but the first", async () => {
    const { client } = await watch("signal: rescore");
    expect(asked(client.sent).filter((what) => what.startsWith("score"))).toEqual(["score 5", "score 10"]);
  });

  test("its losses stay through training: that only counts draws, and is not asked for other signals", async () => {
    const { client } = await watch("signal: rescore, every: 2, start: scored, reads: [margin]", ["epochs=4"]);
    expect(seen.map(({ ledger }) => ledger.loss)).toEqual([0, 0, 10, 10].map(lossesScoredAt));
    expect(seen.map(({ ledger }) => ledger.seenAtStep[3])).toEqual([0, 0, 10, 10]);
    expect(seen.map(({ ledger }) => ledger.margin?.[3])).toEqual([3, 3, -7, -7]);
    expect(seen.map(({ ledger }) => ledger.draws[3])).toEqual([0, 1, 2, 3]);
    for (const { fields } of client.sentOf("train")) expect(fields.signals).toEqual(["loss", "correct", "prediction"]);
  });

  test("metrics say how many samples were scored, timings how long it took, the age of losses starts at 0", async () => {
    const { scene } = await watch("signal: rescore, every: 2", ["epochs=4", "dataset.subset=20"], {
      seconds: ({ type }: Sent) => ({ score: 0.5, train: 0.25, evaluate: 0.125 })[type as string] ?? 0,
    });
    const metrics = scene.metrics("a", 0);
    expect(metrics.map(({ scored }) => scored)).toEqual([0, 20, 0, 20]);
    expect(metrics.map(({ order }) => Reflect.get(Object(order), "meanLossAgeSteps"))).toEqual([undefined, 0, 4, 0]);
    const timings = scene
      .text("a/seed-0/timings.jsonl")
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(timings.map(({ scoringSeconds }) => scoringSeconds)).toEqual([0, 0.5, 0, 0.5]);
    expect(timings.map(({ trainingSeconds }) => trainingSeconds)).toEqual([0.5, 0.5, 0.5, 0.5]); // two chunks each
    expect(timings.map(({ evaluatingSeconds }) => evaluatingSeconds)).toEqual([0.25, 0.25, 0.25, 0.25]);
  });
});

test("whatever the source, an order sees nothing of its own epoch or of a later one", async () => {
  for (const order of ["", "start: scored", "signal: rescore", "signal: rescore, every: 2, start: scored"]) {
    seen.length = 0;
    await watch(order, ["epochs=4"]);
    expect(seen.map(({ epoch, step }) => [epoch, step])).toEqual([0, 5, 10, 15].map((step, epoch) => [epoch, step]));
    // Losses of training are of a step before; those of a pass after `step` steps are of the model as it is now.
    for (const { step, ledger } of seen) {
      for (const [index, at] of ledger.seenAtStep.entries()) {
        if (ledger.loss[index] > 0) expect(at).toBeLessThan(step);
        else if (!Number.isNaN(ledger.loss[index])) expect(at).toBeLessThanOrEqual(step);
      }
    }
  }
});

describe("the history on disk", () => {
  test("a file an epoch of each signal in index order, NaN where not seen; of scoring passes by themselves", async () => {
    const { scene, client } = await watch("start: scored, reads: [el2n]", ["dataset.subset=20", "epochs=2"]);
    const eligible = [...client.sentOf("score")[0].arrays.indices];
    const column = (value: (index: number, batch: number) => number) =>
      samples.map((index) =>
        eligible.includes(index) ? Math.fround(value(index, Math.floor(eligible.indexOf(index) / 5))) : nan,
      );
    expect(scene.files("a/seed-0/signals").map((file) => file.slice("a/seed-0/signals/".length))).toEqual([
      "el2n/0000.f32",
      "el2n/0001.f32",
      "loss/0000.f32",
      "loss/0001.f32",
      "prediction/0000.u32",
      "prediction/0001.u32",
      "scored-el2n/0000.f32",
      "scored-loss/0000.f32",
    ]);
    const file = (name: string) => scene.floats(`a/seed-0/signals/${name}.f32`);
    expect(file("scored-loss/0000")).toEqual(column((index) => scoredLoss(index, 0)));
    expect(file("scored-el2n/0000")).toEqual(column((index) => madeUp.el2n(index, 0)));
    expect(file("loss/0000")).toEqual(column((index, batch) => madeUpLoss(index, batch)));
    expect(file("loss/0001")).toEqual(column((index, batch) => madeUpLoss(index, 4 + batch)));
    expect(file("el2n/0001")).toEqual(column((index, batch) => madeUp.el2n(index, 4 + batch)));
  });

  test("signals: last keeps the last of each kind, though passes are not of every epoch", async () => {
    const { scene } = await watch("signal: rescore, every: 2, start: scored, reads: [margin]", [
      "epochs=4",
      "record.signals=last",
    ]);
    expect(scene.files("a/seed-0/signals").map((file) => file.slice("a/seed-0/signals/".length))).toEqual([
      "loss/0003.f32",
      "prediction/0003.u32",
      "scored-loss/0002.f32",
      "scored-margin/0002.f32",
    ]);
  });
});

describe("a scored loss that is not finite", () => {
  test.each([
    [0, 0],
    [10, 2],
  ])("after %d steps ends the run as diverged there, before anything of epoch %d is planned", async (step, epoch) => {
    const { scene, results, client } = await watch("signal: rescore, start: scored", [], {
      scoredLoss: (index: number, at: number) => (at === step && index === 3 ? Number.POSITIVE_INFINITY : 1),
    });
    expect(results).toMatchObject([{ state: "diverged", divergedAtStep: step }]);
    expect(results[0].metrics).toHaveLength(epoch);
    expect(scene.document("a", 0)).toMatchObject({ state: "diverged", divergedAtStep: step });
    expect(asked(client.sent).slice(-2)).toEqual([`score ${step}`, "close"]);
    expect(seen).toHaveLength(epoch);
    expect(scene.has(`a/seed-0/orders/000${epoch}.json`)).toBe(false);
    expect(scene.floats(`a/seed-0/signals/scored-loss/000${epoch}.f32`)[3]).toBe(Number.POSITIVE_INFINITY);
  });
});

describe("an interruption during a scoring pass", () => {
  test.each(["that is cancelled", "that was done already"])("%s leaves the run as interrupted", async (how) => {
    const abort = new AbortController();
    const scene = new Scene();
    const stop = ({ type }: Sent) => (type === "score" ? abort.abort() : undefined);
    const { error, client } = await scene.run({
      abort,
      settings: ["arms={a: {order: {name: watching, start: scored}}}", "seeds=1"],
      pretence: how === "that is cancelled" ? { before: stop } : { gathered: (message) => void stop(message) },
    });
    expect(error).toBeInstanceOf(Interrupted);
    expect(scene.document("a", 0)).toMatchObject({ state: "interrupted" });
    expect(asked(client.sent)).toEqual(["open", "score 0", "close"]);
  });
});

test("a signal that the backend leaves out is a bug of one of the two, and is named alone", async () => {
  const { error, scene } = await watch("start: scored, reads: [margin, el2n]", [], { leavesOut: ["el2n"] });
  const message = "the backend left out what was asked for: el2n";
  expect(error).toMatchObject({ kind: "bug", code: "bad_array", message });
  expect(scene.document("a", 0)).toMatchObject({ state: "failed", error: message });
});

test("weights go out with their chunk and onto the disk, the plan's hash covers them, and losses stay raw", async () => {
  const { createHash } = await import("node:crypto");
  const { scene, client } = await watch("weighted: true");
  const weights = (epoch: number) => samples.map((index) => (1 + index + epoch) / 16);
  for (const epoch of [0, 1, 2]) {
    const sent = client.sentOf("train").filter(({ fields }) => Math.floor(fields.firstStep / 5) === epoch);
    expect(sent.map(({ arrays }) => arrays.weights?.length)).toEqual([10, 10, 4]);
    expect(sent.flatMap(({ arrays }) => [...(arrays.weights ?? [])])).toEqual(weights(epoch));
    expect(scene.floats(`a/seed-0/orders/000${epoch}.weights.f32`)).toEqual(weights(epoch));
    const plan = JSON.parse(scene.text(`a/seed-0/orders/000${epoch}.json`));
    expect(plan.weighted).toBe(true);
    const bytes = [
      ...samples.map((index) => littleEndian(4, (to) => to.writeUInt32LE(index))),
      ...[0, 5, 10, 15, 20, 24].map((offset) => littleEndian(4, (to) => to.writeUInt32LE(offset))),
      ...[1, 2, 3, 4, 5].map(() => littleEndian(8, (to) => to.writeDoubleLE(0.1))),
      ...weights(epoch).map((weight) => littleEndian(4, (to) => to.writeFloatLE(weight))),
    ];
    const hash = createHash("sha256").update(Buffer.concat(bytes)).digest("hex");
    expect(plan.planSha256).toBe(hash);
    expect(scene.metrics("a", 0)[epoch].planSha256).toBe(hash);
  }
  expect(seen[1].ledger.loss).toEqual(lossesInTraining(0));
  const sum = (24 * 25) / 2 / 16;
  const squares = samples.reduce((total, index) => total + ((1 + index) / 16) ** 2, 0);
  expect(scene.metrics("a", 0)[0].order).toMatchObject({
    meanWeight: sum / 24,
    effectiveSampleSize: (sum * sum) / squares,
  });
});

function littleEndian(size: number, write: (to: Buffer) => void): Buffer {
  const bytes = Buffer.alloc(size);
  write(bytes);
  return bytes;
}

describe("the ledger's options stand beside the order's own", () => {
  const orderOf = async (order: string) => (await resolved(CONFIG.replace("order: frozen", `order: ${order}`))).arms;
  const here = "x.yaml:12: arms.frozen.order";

  test("filled in, and recorded apart from the order's own", async () => {
    expect((await orderOf("watching")).frozen.order).toEqual({
      name: "watching",
      options: { reads: [], weighted: false },
      ledger: { signal: "training", every: 1, start: "shuffled", placebo: false, meanDecay: 0.9 },
      changesObjective: false,
    });
    const said =
      "{ name: watching, signal: rescore, every: 3, start: scored, placebo: true, meanDecay: 0, weighted: true }";
    expect((await orderOf(said)).frozen.order).toEqual({
      name: "watching",
      options: { reads: [], weighted: true },
      ledger: { signal: "rescore", every: 3, start: "scored", placebo: true, meanDecay: 0 },
      changesObjective: false, // what is permuted chooses by chance alone
    });
  });

  test("each of them is in the arm's hash", async () => {
    const { evaluation } = await resolved(CONFIG);
    const hashes = await Promise.all(
      [
        "",
        ", signal: rescore",
        ", signal: rescore, every: 2",
        ", start: scored",
        ", placebo: true",
        ", meanDecay: 0.5",
      ].map(async (more) => armHash((await orderOf(`{ name: watching${more} }`)).frozen, evaluation)),
    );
    expect(new Set(hashes).size).toBe(6);
  });

  test.each([
    [
      "{ name: watching, every: 2 }",
      `${here}.every: expected 1 without signal: rescore, for training passes give losses all the time, not 2`,
    ],
    ["{ name: watching, signal: rescore, every: 0 }", `${here}.every: expected at least 1, not 0`],
    ["{ name: watching, signal: scored }", `${here}.signal: expected one of training, rescore, not "scored"`],
    ["{ name: watching, meanDecay: 1 }", `${here}.meanDecay: expected less than 1, not 1`],
    ["{ name: watching, placebo: yes please }", `${here}.placebo: expected true, false or seen, not "yes please"`],
    ["{ name: watching, placebos: true }", `${here}.placebos: unknown key; did you mean \`placebo\`?`],
    [
      "{ name: watching, banana: 1 }",
      `${here}.banana: unknown key; known: reads, weighted, signal, every, start, placebo, meanDecay`,
    ],
    ["{ name: shuffled, placebo: true }", `${here}.placebo: unknown key; there are no options here`],
    ["{ name: random-subset, placebo: true }", `${here}.placebo: unknown key; known: fraction, redraw`],
  ])("%s", async (order, expected) => {
    await expect(orderOf(order)).rejects.toMatchObject({ kind: "usage", message: expected });
  });
});

test("placebo: the order sees the losses of other samples, all of them, another way each epoch; draws stay", async () => {
  await watch("start: scored, placebo: true, reads: [margin]");
  const [first, second] = seen.map(({ ledger }) => ledger);
  expect(first.loss).not.toEqual(lossesScoredAt(0));
  expect([...first.loss].sort()).toEqual([...lossesScoredAt(0)].sort());
  for (const index of samples) {
    const other = samples.find((sample) => madeUp.margin(sample, 0) === first.margin?.[index]) ?? -1;
    expect(first.loss[index]).toBe(Math.fround(scoredLoss(other, 0)));
  }
  expect([...second.loss].sort()).toEqual([...lossesInTraining(0)].sort());
  expect([...second.draws]).toEqual(samples.map(() => 1));
});
