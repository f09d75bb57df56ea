import { rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { BackendError, BackendLost } from "../../src/backend/errors.js";
import { Interrupted, surroundingsError } from "../../src/errors.js";
import { readStatus } from "../../src/experiment/experiment-status.js";
import { readTuning } from "../../src/record/tuning-record.js";
import { readResults } from "../../src/results/recorded-results.js";
import { type FakeBackend, type Pretence, SETTINGS, type Sent } from "./fake-backend.js";
import { Scene } from "./scene.js";

/** 24 samples of 3 classes, of which 6 are held out; 2 arms × 3 rates × 2 seeds, then 2 arms × 2 seeds. */
const TUNED = [
  "tune={ learningRate: [0.4, 0.1, 0.2], seeds: 2, validation: 0.25 }",
  "primary=loss",
  "epochs=2",
  "arms.frozen={ order: frozen, optimizer: { name: sgd, momentum: 0.5 } }",
];
const TRIALS = 12;

interface Rated {
  readonly rate: number;
  readonly momentum: unknown;
  readonly seed: number;
}

/** A backend of which every loss is a function of arm, learning rate and seed. */
function rated(lossAt: (run: Rated) => number, before: (message: Sent) => void = () => {}): Pretence {
  let run: Rated = { rate: Number.NaN, momentum: undefined, seed: 0 };
  return {
    before(message) {
      if (message.type === "open") {
        const { optimizer, seed } = message.fields;
        run = { rate: Number.NaN, momentum: optimizer.options.momentum, seed };
      }
      if (message.type === "train") run = { ...run, rate: message.arrays.learningRates[0] };
      before(message);
    },
    loss: () => lossAt(run),
  };
}

/** By hand: of frozen (momentum 0.5) the means are 4, 2 and 3; of shuffled 1, 2 and 3, though its seeds are far apart. */
const byHand = ({ rate, momentum, seed }: Rated): number => {
  const mean = momentum === 0.5 ? { 0.1: 4, 0.2: 2, 0.4: 3 }[rate] : { 0.1: 1, 0.2: 2, 0.4: 3 }[rate];
  return (mean ?? 0) + (seed % 2 === 0 ? 0.75 : -0.75);
};

/** Of each session, one after another: what it was trained on, at which rates, and what was looked at. */
function sessionsOf(sent: readonly Sent[]) {
  const sessions: { seed: number; trained: Set<number>; rates: Set<number>; looked: Map<string, number[]> }[] = [];
  for (const message of sent) {
    if (message.type === "open") {
      const { seed } = message.fields;
      sessions.push({ seed, trained: new Set(), rates: new Set(), looked: new Map() });
    }
    const session = sessions[sessions.length - 1];
    if (message.type === "train") {
      for (const index of message.arrays.indices) session.trained.add(index);
      for (const rate of message.arrays.learningRates) session.rates.add(rate);
    }
    if (message.type !== "evaluate") continue;
    const { indices } = message.arrays;
    const kind = message.fields.part === "test" ? "test" : indices.length === 6 ? "held out" : "train";
    session.looked.set(kind, [...indices]);
  }
  return sessions;
}

test("each arm has the rate of the best mean, and its own runs are trained on all samples with it", async () => {
  const scene = new Scene();
  const { client, results, error } = await scene.run({ settings: TUNED, pretence: rated(byHand) });
  expect(error).toBeUndefined();
  expect(results.map(({ arm, seed, state }) => `${arm} ${seed} ${state}`)).toEqual([
    "frozen 0 done",
    "shuffled 0 done",
    "frozen 1 done",
    "shuffled 1 done",
  ]);
  const tuned = readTuning(scene.directory);
  expect(tuned).toMatchObject({ measure: "loss", validation: { share: 0.25, samples: 6 }, seeds: [1000000, 1000001] });
  expect(tuned?.arms.map(({ arm, rate, end }) => ({ arm, rate, end }))).toEqual([
    { arm: "frozen", rate: 0.2, end: undefined },
    { arm: "shuffled", rate: 0.1, end: "lowest" },
  ]);
  expect(tuned?.arms[0].trials.map(({ rate, mean }) => [rate, mean])).toEqual([
    [0.1, 4],
    [0.2, 2],
    [0.4, 3],
  ]);
  expect(tuned?.arms[0].cost, "3 rates × 2 seeds, 2 epochs of 18").toEqual({ runs: 6, samples: 216, scored: 0 });

  const own = sessionsOf(client.sent).slice(TRIALS);
  expect(own.map(({ seed, rates }) => [seed, [...rates]])).toEqual([
    [0, [0.2]],
    [0, [0.1]],
    [1, [0.2]],
    [1, [0.1]],
  ]);
  for (const { trained, looked } of own) {
    expect(trained.size).toBe(24);
    expect(looked.get("test")).toHaveLength(6);
  }
  expect(scene.document("frozen", 0)).toMatchObject({ config: { schedule: { options: { learningRate: 0.2 } } } });
  const { config } = JSON.parse(scene.text("experiment.json"));
  expect(config.arms.shuffled.schedule.options).toMatchObject({ learningRate: 0.1 });

  const { signal } = new AbortController();
  await expect(readResults(join(scene.directory, "tuning"), { python: undefined, signal })).rejects.toThrow(
    `tuning holds the runs that learning rates are tuned by, and none of them is measured on the test set: ibatch report ${scene.directory} has what`,
  );
});

test("tuning never looks at the test set, and has one stratified part that none of its runs is trained on", async () => {
  const scene = new Scene();
  const pretence = { ...rated(byHand), opened: { settings: { ...SETTINGS, batchNormLayers: 2 } } };
  const looks = "evaluation={ trainSample: 4, perEpoch: 2, averaged: { last: 0.5 }, batchNorm: reestimated }";
  const { client } = await scene.run({ settings: [...TUNED, looks, "record={ scoreAll: true, images: 2 }"], pretence });
  const trials = sessionsOf(client.sent).slice(0, TRIALS);
  const parts = new Set(trials.map(({ looked }) => looked.get("held out")?.join()));
  expect(parts.size, "the same for every arm, rate and seed").toBe(1);
  const heldOut = trials[0].looked.get("held out") ?? [];
  expect([0, 1, 2].map((label) => heldOut.filter((index) => index % 3 === label).length)).toEqual([2, 2, 2]);
  for (const { trained, looked, seed, rates } of trials) {
    expect(looked.has("test")).toBe(false);
    expect(trained.size).toBe(18);
    expect(heldOut.filter((index) => trained.has(index))).toEqual([]);
    expect(seed, "no seed under test").toBeGreaterThanOrEqual(1_000_000);
    expect(rates.size).toBe(1);
  }
  const first = client.sent.findIndex((message) => message.type === "evaluate" && message.fields.part === "test");
  expect(client.sent.slice(0, first).filter(({ type }) => type === "open")).toHaveLength(TRIALS + 1);
  const trialRates = trials.map(({ rates }) => [...rates][0]).sort();
  expect(trialRates, "as many trials of each").toEqual([0.1, 0.2, 0.4].flatMap((rate) => [rate, rate, rate, rate]));
});

test("an arm's own schedule, batching and budget keep their form: rates are those of the tried one, in proportion", async () => {
  const scene = new Scene();
  const arms = [
    "cycle: { order: shuffled, schedule: { name: one-cycle } }",
    "of-growing: { order: shuffled, batching: { name: constant, size: 4, learningRate: linear, ratesOf: { name: linear, from: 4, to: 8 } } }",
    "budget: { order: shuffled, budget: { samples: 28 }, schedule: { name: cosine } }",
  ];
  const settings = [
    "tune={ learningRate: [0.1, 0.2], seeds: 1, validation: 0.25 }",
    "seeds=1",
    `arms={ ${arms.join(", ")} }`,
  ];
  const { client, error } = await scene.run({ settings });
  expect(error).toBeUndefined();
  const rates = sessionsOf(client.sent).map(({ rates }) => [...rates]);
  for (const arm of [0, 1, 2]) {
    const [low, high] = [rates[2 * arm], rates[2 * arm + 1]];
    expect(low.length).toBeGreaterThan(1);
    expect(high).toHaveLength(low.length);
    for (const [at, rate] of low.entries()) expect(high[at] / rate).toBeCloseTo(2, 9);
  }
  const costs = readTuning(scene.directory)?.arms.map(({ arm, cost }) => [arm, cost.samples / cost.runs]);
  expect(costs, "3 epochs of 18, or the budget").toEqual([
    ["cycle", 54],
    ["of-growing", 54],
    ["budget", 28],
  ]);
});

test("wrong labels are for what is trained on: a rate is chosen by right ones", async () => {
  const scene = new Scene();
  const settings = [...TUNED, "dataset.labelNoise={ fraction: 0.5 }"];
  const { client, error } = await scene.run({ settings, pretence: rated(byHand) });
  expect(error).toBeUndefined();
  const heldOut = sessionsOf(client.sent)[0].looked.get("held out") ?? [];
  const relabelled = client.sentOf("relabel").map(({ arrays }) => [...arrays.indices]);
  expect(relabelled.map((indices) => indices.length)).toEqual([...Array(TRIALS).fill(9), ...Array(4).fill(12)]);
  for (const indices of relabelled.slice(0, TRIALS)) {
    expect(heldOut.filter((index) => indices.includes(index))).toEqual([]);
  }
});

test("killed in mid-tuning, the same command goes on; what is chosen and trained is as without", async () => {
  const whole = new Scene();
  await whole.run({ settings: TUNED, pretence: rated(byHand) });
  const scene = new Scene();
  const abort = new AbortController();
  let trained = 0;
  const stop = (message: Sent) => {
    if (message.type === "train" && ++trained === 20) abort.abort(); // in the fourth run
  };
  const { error } = await scene.run({ settings: TUNED, abort, pretence: rated(byHand, stop) });
  expect(error).toBeInstanceOf(Interrupted);
  expect(scene.has("tuning.json")).toBe(false);

  const { runs, tuning } = readStatus(scene.directory);
  expect(runs.map(({ standing }) => standing)).toEqual(Array(4).fill("not begun"));
  const standings = tuning?.map(({ standing }) => standing) ?? [];
  expect(standings).toHaveLength(TRIALS);
  const done = standings.filter((standing) => standing === "done").length;
  expect(done).toBeGreaterThan(0);
  expect(done).toBeLessThan(TRIALS);
  expect(standings).toContain("resumable");

  const { client } = await scene.run({ settings: TUNED, pretence: rated(byHand) });
  expect(client.sentOf("open")).toHaveLength(TRIALS - done + 4);
  expect(scene.text("tuning.json")).toBe(whole.text("tuning.json"));
  for (const run of ["tuning/frozen-lr0.2/seed-1000001", "shuffled/seed-1"]) {
    expect(scene.text(`${run}/metrics.jsonl`), run).toBe(whole.text(`${run}/metrics.jsonl`));
  }
  expect(readStatus(scene.directory).tuning?.map(({ standing }) => standing)).toEqual(Array(TRIALS).fill("done"));

  const again = await scene.run({ settings: TUNED, pretence: rated(byHand) });
  expect(again.client.sent, "all of it is kept").toEqual([]);
  expect(again.results).toHaveLength(4);
});

describe("an arm without a learning rate", () => {
  const divergesAt = ({ momentum, rate, seed }: Rated) =>
    momentum === 0.5 && rate > 0.1 ? Number.NaN : byHand({ momentum, rate, seed });

  test("rates at which runs diverged come after those at which none did", async () => {
    const scene = new Scene();
    await scene.run({ settings: TUNED, pretence: rated(divergesAt) });
    const [frozen] = readTuning(scene.directory)?.arms ?? [];
    expect(frozen).toMatchObject({ rate: 0.1, end: "lowest" });
    expect(frozen.trials.map(({ diverged, mean }) => [diverged, mean])).toEqual([
      [0, 4],
      [2, null],
      [2, null],
    ]);
  });

  test("fails, with a sentence, where every run diverged; the other arm is trained", async () => {
    const scene = new Scene();
    const never = (run: Rated) => (run.momentum === 0.5 ? Number.NaN : byHand(run));
    const why = "arm frozen has no learning rate: every run diverged at each of 0.1, 0.2, 0.4; lower tune.learningRate";
    for (const opened of [TRIALS + 2, 0]) {
      const { client, results, stoppedBy } = await scene.run({ settings: TUNED, pretence: rated(never) });
      expect(client.sentOf("open")).toHaveLength(opened);
      expect(stoppedBy).toBeUndefined();
      expect(results.map(({ arm, state, error }) => [arm, state, error])).toEqual([
        ["frozen", "failed", why],
        ["shuffled", "done", undefined],
        ["frozen", "failed", why],
        ["shuffled", "done", undefined],
      ]);
    }
    expect(readTuning(scene.directory)?.arms[0]).toMatchObject({ rate: null, lack: why });
  });

  test("fails where one of the runs that it is tuned by failed, and is trained once that is mended", async () => {
    const scene = new Scene();
    const fails = (message: Sent) => {
      if (message.type !== "train" || message.arrays.learningRates[0] !== 0.4) return;
      throw new BackendError("session_failed", "a bug in the model");
    };
    const broken = await scene.run({ settings: TUNED, pretence: rated(byHand, fails) });
    expect(broken.results.map(({ state }) => state)).toEqual(Array(4).fill("failed"));
    expect(broken.results[0].error).toMatch(
      /^arm frozen has no learning rate, for a run that it is tuned by failed \(frozen-lr0.4, seed 1000000\): .*a bug in the model/,
    );
    const mended = await scene.run({ settings: TUNED, pretence: rated(byHand) });
    expect(mended.error).toBeUndefined();
    expect(mended.results.map(({ state }) => state)).toEqual(Array(4).fill("done"));
    expect(readTuning(scene.directory)?.arms.map(({ rate }) => rate)).toEqual([0.2, 0.1]);
  });
});

test("where no other backend can be had, nothing is chosen from what there is, and the same command goes on", async () => {
  const scene = new Scene();
  let opened = 0;
  const dies = (message: Sent) => {
    if (message.type === "open") opened += 1;
    if (message.type === "train" && opened === 3) throw new BackendLost("the backend has ended");
  };
  const noOther = surroundingsError("no backend can be started");
  const { results, stoppedBy } = await scene.run({ settings: TUNED, pretence: rated(byHand, dies), noOther });
  expect([results, stoppedBy]).toEqual([[], noOther]);
  expect([scene.has("tuning.json"), scene.has("frozen")]).toEqual([false, false]);
  const after = await scene.run({ settings: TUNED, pretence: rated(byHand) });
  expect(after.client.sentOf("open")).toHaveLength(TRIALS - 2 + 4);
  expect(readTuning(scene.directory)?.arms.map(({ rate }) => rate)).toEqual([0.2, 0.1]);
});

test("other rates are another experiment, and it says which", async () => {
  const scene = new Scene();
  await scene.run({ settings: TUNED, pretence: rated(byHand) });
  const [, ...others] = TUNED;
  const settings = ["tune={ learningRate: [0.1, 0.2], seeds: 2, validation: 0.25 }", ...others];
  await expect(scene.run({ settings })).rejects.toThrow("tune.learningRate: [0.1,0.2,0.4] there, [0.1,0.2] here");
  const sorted = TUNED.with(0, "tune={ learningRate: [0.1, 0.2, 0.4], seeds: 2, validation: 0.25 }");
  const { client, error } = await scene.run({ settings: sorted });
  expect([error, client.sent], "the same rates in another sequence are the same").toEqual([undefined, []]);
});

test("runs are counted through, those of the tuning first; arms that come later are tuned then, and others keep their rate", async () => {
  const scene = new Scene();
  const places: string[] = [];
  const notes: string[] = [];
  const observer = {
    noted: (line: string) => notes.push(line),
    runStarted: ({ arm, number, total }: { arm: string; number: number; total: number }) => {
      places.push(`${number + 1}/${total} ${arm}`);
    },
  };
  await scene.run({ settings: TUNED, pretence: rated(byHand), observer });
  expect(places.slice(0, 2)).toEqual(["1/16 frozen-lr0.1", "2/16 frozen-lr0.2"]);
  expect(places.slice(11, 13)).toEqual(["12/16 shuffled-lr0.4", "13/16 frozen"]);
  expect(notes[0]).toBe(
    "tuning: 12 runs on the training samples but for 25 %, which they are measured on, choose each arm's learning rate from " +
      "0.1, 0.2, 0.4; then 4 runs with the chosen ones",
  );
  expect(notes.slice(1)).toEqual([
    "tuning: frozen has learning rate 0.2 of 0.1, 0.2, 0.4; 0.4 is within noise of it (1.0000 behind, standard error 1.0607): raise tune.seeds",
    "tuning: shuffled has learning rate 0.1 of 0.1, 0.2, 0.4; it is the lowest that was tried, so a lower one may be better: widen " +
      "tune.learningRate; 0.2 is within noise of it (1.0000 behind, standard error 1.0607): raise tune.seeds",
  ]);
  const again: string[] = [];
  await scene.run({
    settings: TUNED,
    pretence: rated(byHand),
    observer: { noted: (line: string) => again.push(line) },
  });
  expect(again.filter((line) => line.includes("12 runs"))).toEqual([]);
  const { client } = await scene.run({
    settings: [...TUNED, "arms={ other: { order: shuffled } }"],
    pretence: rated(byHand),
  });
  expect(client.sentOf("open")).toHaveLength(3 * 2 + 2);
  expect(readTuning(scene.directory)?.arms.map(({ arm, rate }) => [arm, rate])).toEqual([
    ["other", 0.1],
    ["frozen", 0.2],
    ["shuffled", 0.1],
  ]);
});

describe("runs on record are of the rate that is on record", () => {
  const losses = (at: Readonly<Record<number, number>>) => rated(({ rate }) => at[rate] ?? 0);

  test("where the tuning is done again and chooses another one, that is refused, and says so", async () => {
    const scene = new Scene();
    await scene.run({ settings: TUNED, pretence: losses({ 0.1: 1, 0.2: 2, 0.4: 3 }) });
    const before = scene.text("tuning.json");
    rmSync(join(scene.directory, "tuning"), { recursive: true });
    const { error } = await scene.run({ settings: TUNED, pretence: losses({ 0.1: 3, 0.2: 2, 0.4: 1 }) });
    expect(error).toMatchObject({
      message: expect.stringContaining(
        "schedule.options.learningRate: 0.1 there, 0.4 here), for its learning rate was tuned to 0.1, and now the tuning chooses 0.4: " +
          `bring back the runs in ${scene.directory}/tuning that it was tuned by`,
      ),
    });
    expect(scene.text("tuning.json")).toBe(before);
  });

  test("where one of the runs that it was tuned by is lost and fails by now, too", async () => {
    const scene = new Scene();
    await scene.run({ settings: TUNED, pretence: rated(byHand) });
    const before = scene.text("tuning.json");
    rmSync(join(scene.directory, "tuning/frozen-lr0.4/seed-1000000"), { recursive: true });
    const fails = (message: Sent) => {
      if (message.type === "train") throw new BackendError("session_failed", "a bug in the model");
    };
    const { error } = await scene.run({ settings: TUNED, pretence: rated(byHand, fails) });
    expect(error).toMatchObject({
      message: expect.stringMatching(
        /for its learning rate was tuned to 0.2, and now the tuning chooses none \(arm frozen has no learning rate, for a run .*a bug in the model/,
      ),
    });
    expect(scene.text("tuning.json")).toBe(before);
  });
});

test("an arm that comes later is in the status, and in the command to go on with, as soon as its first run to tune by begins", async () => {
  const scene = new Scene();
  await scene.run({ settings: TUNED, pretence: rated(byHand) });
  let trained = 0;
  const abort = new AbortController();
  const stop = (message: Sent) => {
    if (message.type === "train" && ++trained === 3) abort.abort();
  };
  const settings = [...TUNED, "arms.other={ order: shuffled }"];
  const { error, client } = await scene.run({ settings, abort, pretence: rated(byHand, stop) });
  expect(error).toBeInstanceOf(Interrupted);
  const { runs, tuning } = readStatus(scene.directory);
  const standings = runs.map(({ arm, standing }) => `${arm} ${standing}`);
  expect(standings.sort()).toEqual(
    ["frozen done", "other not begun", "shuffled done"].flatMap((standing) => [standing, standing]),
  );
  expect(tuning?.filter(({ arm }) => arm.startsWith("other"))).toHaveLength(6);
  const { config } = JSON.parse(scene.text("experiment.json"));
  expect(config.arms.frozen.schedule.options.learningRate, "which its runs have").toBe(0.2);
  const owners = new Set([client, (await scene.run({ settings, pretence: rated(byHand) })).client].flatMap(ownersOf));
  expect(owners.size, "a backend knows runs to tune by and the others as one command's").toBe(1);
});

const ownersOf = (client: FakeBackend): unknown[] => client.sentOf("open").map(({ fields }) => fields.owner);
