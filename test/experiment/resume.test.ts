// Runs that were stopped go on from their checkpoints, and come out as one that nothing happened to.
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import { readStatus } from "../../src/experiment/experiment-status.js";
import type { Observer } from "../../src/experiment/observer.js";
import { writeSealed } from "../../src/record/sealed.js";
import { orderModule } from "../order-files/own-order.js";
import type { Pretence } from "./fake-backend.js";
import { LOSSES, ONE_RUN, recorded, stoppedBefore, undisturbed } from "./one-run.js";
import { Scene, type SceneOptions } from "./scene.js";

// What is written while the run goes on is written at once here, so that every run has the same checkpoints.
const disk = vi.hoisted(() => ({ isFull: (_path: string): boolean => false }));
vi.mock("node:fs/promises", async (original) => ({
  ...(await original<typeof import("node:fs/promises")>()),
  open: async (path: string) => ({
    writeFile: async (data: Uint8Array) => {
      if (disk.isFull(path)) throw Object.assign(new Error("full"), { code: "ENOSPC", syscall: "write" });
      writeFileSync(path, data, { flag: "a" });
    },
    sync: async () => {},
    close: async () => {},
  }),
}));

/** Stops a run before these steps' chunks, one command after another, and then lets it end. */
async function stoppedAt(steps: readonly number[], { settings = ONE_RUN, pretence = LOSSES }: SceneOptions = {}) {
  const scene = new Scene();
  const loads: (number | undefined)[] = [];
  for (const stop of steps) {
    const abort = new AbortController();
    const before: Pretence["before"] = (message) => {
      if (message.type === "train" && message.fields.firstStep >= stop) abort.abort();
    };
    const { client } = await scene.run({ settings, abort, pretence: { ...pretence, before } });
    loads.push(client.sentOf("load")[0]?.fields.step);
    expect(scene.document("a", 4)).toMatchObject({ state: "interrupted" });
  }
  const last = await scene.run({ settings, pretence });
  loads.push(last.client.sentOf("load")[0]?.fields.step);
  return { scene, loads, trails: last.client.trails, document: scene.document("a", 4) };
}

describe("to the bit", () => {
  test.each([
    ["in the first epoch", [1]],
    ["twice in an epoch", [1, 2]],
    ["at its last batch", [4]],
    ["in every epoch", [1, 4, 7]],
    ["before its first checkpoint", [0]],
  ])("stopped %s", async (_, steps) => {
    const whole = await undisturbed();
    const { scene, trails, document } = await stoppedAt(steps);
    expect(recorded(scene)).toEqual(whole.recorded);
    expect(trails).toEqual(whole.trails);
    expect(document).toMatchObject({ state: "done" });
  });

  test.each([
    ["a state in three parts", [...ONE_RUN, "epochs=12"], { ...LOSSES, saveParts: 3 }],
    [
      "an order with memory, scored before each epoch",
      [...ONE_RUN, "arms.a.order={name: weighted, by: mean-loss, signal: rescore}"],
      LOSSES,
    ],
    ["a placebo", [...ONE_RUN, "arms.a.order.placebo=true"], LOSSES],
    ["wrong labels", [...ONE_RUN, "dataset.labelNoise={fraction: 0.5}"], LOSSES],
    ["one message an epoch", [...ONE_RUN, "backend.chunkBatches=100"], LOSSES],
    [
      "signals: last, hashes alone",
      [
        "arms={a: {order: shuffled}}",
        "seeds=[4]",
        "record={signals: last, orders: hash}",
        "checkpoint={everyBatches: 2}",
      ],
      LOSSES,
    ],
  ])("%s", async (_, settings, pretence) => {
    const whole = await undisturbed({ settings, pretence });
    const { scene, loads, trails } = await stoppedAt("saveParts" in pretence ? [33] : [3, 5], { settings, pretence });
    expect(recorded(scene)).toEqual(whole.recorded);
    expect(trails).toEqual(whole.trails);
    expect(loads.at(-1), "it went on").toBeGreaterThan(0);
  });

  test("with other chunks than before", async () => {
    const whole = await undisturbed();
    const scene = new Scene();
    const abort = new AbortController();
    const before: Pretence["before"] = (message) => {
      if (message.type === "train" && message.fields.firstStep >= 4) abort.abort();
    };
    await scene.run({ settings: ONE_RUN, abort, pretence: { ...LOSSES, before } });
    const { client } = await scene.run({ settings: [...ONE_RUN, "backend.chunkBatches=1"], pretence: LOSSES });
    expect(client.sentOf("load")).toHaveLength(1);
    expect(recorded(scene)).toEqual(whole.recorded);
    expect(client.trails).toEqual(whole.trails);
  });
});

test("an order that kept something outside of its memory makes another plan: the refusal says so, and status no more that it goes on", async () => {
  const settings = ["arms={a: {order: ./mine.mjs}}", "seeds=[4]", "checkpoint={everyBatches: 2, leastSeconds: 0}"];
  const keeping = `changesEachEpoch: () => true, order({ epoch, eligible, size }) {
    const isNext = globalThis.last === epoch - 1;
    globalThis.last = epoch;
    return { indices: isNext ? eligible.slice().reverse() : eligible.slice(), offsets: offsetsOf(eligible.length, size) };
  },`;
  const scene = await stoppedBefore(12, settings, (made) => made.write("mine.mjs", orderModule(keeping)));
  expect(scene.document("a", 4)).toMatchObject({ state: "interrupted" });
  expect(readStatus(scene.directory).runs).toMatchObject([{ standing: "resumable" }]);
  const { results } = await scene.run({ settings, pretence: LOSSES });
  expect(results).toMatchObject([{ state: "failed" }]);
  expect(results[0].error).toMatch(
    /^the plan of epoch 3, made again, is not the one on record \(.*\): .*or the order keeps something between epochs outside of its `memory`/,
  );
  expect(readStatus(scene.directory).runs).toMatchObject([
    { standing: "refused", error: expect.stringContaining("declare `memory`") },
  ]);
});

describe("an interruption takes a last checkpoint, where the backend has come", () => {
  const WITHOUT = ONE_RUN.map((setting) =>
    setting.startsWith("checkpoint") ? "checkpoint={everyEpochs: null, everySeconds: null}" : setting,
  );

  test.each([
    ["between two batches of a chunk", "train", 7, 1, 7],
    ["between two chunks", "train", 6, 0, 5],
    ["while an epoch is evaluated", "evaluate", 6, 0, 6],
  ] as const)("%s", async (_, type, step, doneWhenCancelled, expected) => {
    const settings = [...WITHOUT, "backend.chunkBatches=2", "evaluation.every=2"];
    const whole = await undisturbed({ settings });
    const scene = new Scene();
    const abort = new AbortController();
    let seen = 0;
    const before: Pretence["before"] = (message) => {
      if (message.type === "train")
        seen = message.fields.firstStep + (type === "train" ? 1 : message.arrays.learningRates.length);
      if (message.type === type && seen >= step) abort.abort();
    };
    await scene.run({ settings, abort, pretence: { ...LOSSES, doneWhenCancelled, before } });
    expect(scene.document("a", 4)).toMatchObject({ state: "interrupted" });
    const { client } = await scene.run({ settings, pretence: LOSSES });
    expect(client.sentOf("load").map(({ fields }) => fields.step)).toEqual([expected]);
    expect(recorded(scene)).toEqual(whole.recorded);
    expect(client.trails).toEqual(whole.trails);
  });
});

test("a run that goes on says so, each time, and trains nothing twice that is on record", async () => {
  const { document, loads } = await stoppedAt([1, 4]);
  expect(document.resumed).toMatchObject(loads.filter((step) => step !== undefined).map((step) => ({ step })));
});

test("when the run has ended its checkpoints go; with final, one of its end stays, and stays when it is kept", async () => {
  const scene = new Scene();
  await scene.run({ settings: ONE_RUN, pretence: LOSSES });
  expect(scene.files("a").filter((file) => file.includes("checkpoint"))).toEqual([]);
  const final = new Scene();
  const settings = [...ONE_RUN, "checkpoint.final=true"];
  await final.run({ settings, pretence: LOSSES });
  await final.run({ settings: ONE_RUN, pretence: LOSSES });
  const { finalCheckpoint } = final.document("a", 4);
  expect(readdirSync(join(final.directory, "a/seed-4/checkpoint"))).toEqual([`${finalCheckpoint}`]);
});

test("a run that was stopped without a checkpoint begins anew, and says so", async () => {
  const settings = [...ONE_RUN, "backend.chunkBatches=1"];
  const scene = new Scene();
  const abort = new AbortController();
  const before: Pretence["before"] = ({ type }) => {
    if (type === "train") abort.abort();
  };
  await scene.run({ settings, abort, pretence: { ...LOSSES, before } });
  const said: string[] = [];
  const started: unknown[] = [];
  const observer: Observer = {
    noted: (line) => said.push(line),
    runStarted: (_, from) => started.push(from),
  };
  await scene.run({ settings, observer, pretence: LOSSES });
  expect(said).toEqual(["a, seed 4: was stopped without a checkpoint, and begins anew"]);
  expect(started).toEqual([undefined]);
});

test("checkpoint: null takes none, and an unfinished run begins anew", async () => {
  const settings = ONE_RUN.map((setting) => (setting.startsWith("checkpoint") ? "checkpoint=null" : setting));
  const { loads } = await stoppedAt([4], { settings });
  expect(loads).toEqual([undefined, undefined]);
});

test("checkpoint: null goes on with no run that has checkpoints, also in other surroundings, and says so", async () => {
  const scene = await stoppedBefore(7);
  const said: string[] = [];
  const { results, client } = await scene.run({
    settings: [...ONE_RUN, "checkpoint=null"],
    observer: { noted: (line) => said.push(line) },
    pretence: { ...LOSSES, opened: { threads: 2 } },
  });
  expect(said).toEqual(["a, seed 4: has checkpoints, and begins anew (`checkpoint: null`)"]);
  expect(client.sentOf("load")).toEqual([]);
  expect(results.map(({ state }) => state)).toEqual(["done"]);
});

test("the next command of a directory opens with the owner of the one before, and no other's does", async () => {
  const scene = new Scene();
  const ownersOf = async (at: Scene, ...settings: string[]) => {
    const { client } = await at.run({ settings: [...ONE_RUN, ...settings], pretence: LOSSES });
    return client.sentOf("open").map(({ fields }) => fields.owner);
  };
  const [first] = await ownersOf(scene);
  expect(await ownersOf(scene, "seeds=[4, 5]")).toEqual([first]);
  expect(await ownersOf(new Scene())).not.toEqual([first]);
});

test("what cannot be saved is said once, and the run goes on without", async () => {
  const said: string[] = [];
  const scene = new Scene();
  const { BackendError } = await import("../../src/backend/errors.js");
  const { client, results } = await scene.run({
    settings: ONE_RUN,
    observer: { noted: (line) => said.push(line) },
    pretence: {
      ...LOSSES,
      before({ type }) {
        if (type === "save") throw new BackendError("bad_reference", "own:Net keeps a set");
      },
    },
  });
  expect(results.map(({ state }) => state)).toEqual(["done"]);
  expect(said).toEqual(["no checkpoints: own:Net keeps a set"]);
  expect(client.sentOf("save")).toHaveLength(1);
});

test("a run that diverges is a result, with final as without, and leaves no checkpoint", async () => {
  const scene = new Scene();
  const settings = [...ONE_RUN, "checkpoint.final=true", "backend.chunkBatches=2"];
  const pretence: Pretence = { loss: (_, step) => (step >= 4 ? Number.NaN : 1) };
  const { results } = await scene.run({ settings, pretence });
  expect(results).toMatchObject([{ state: "diverged", divergedAtStep: 4 }]);
  expect(scene.files("a").filter((file) => file.includes("checkpoint"))).toEqual([]);
});

test("want of memory for a save costs that checkpoint alone, and is in the log", async () => {
  const lines: string[] = [];
  const { BackendError } = await import("../../src/backend/errors.js");
  let saves = 0;
  const { results } = await new Scene().run({
    settings: ONE_RUN,
    log: (line) => lines.push(line),
    pretence: {
      ...LOSSES,
      before({ type }) {
        if (type === "save" && ++saves === 1) throw new BackendError("out_of_memory", "it does not fit");
      },
    },
  });
  expect(results.map(({ state }) => state)).toEqual(["done"]);
  expect(saves).toBeGreaterThan(2);
  expect(lines.filter((line) => line.includes("no checkpoint"))).toEqual([
    "a, seed 4: no checkpoint at step 2: it does not fit",
  ]);
});

test("a run whose last checkpoint cannot be kept is done, and says so", async () => {
  const said: string[] = [];
  const scene = new Scene();
  const { BackendError } = await import("../../src/backend/errors.js");
  const before: Pretence["before"] = ({ type }) => {
    if (type === "save") throw new BackendError("out_of_memory", "it does not fit");
  };
  const settings = [...ONE_RUN, "checkpoint.final=true"];
  const observer: Observer = { noted: (line) => said.push(line) };
  await scene.run({ settings, observer, pretence: { ...LOSSES, before } });
  expect(scene.document("a", 4)).toMatchObject({ state: "done" });
  expect(said).toEqual(["a, seed 4: is done without its last checkpoint, which could not be kept (log.txt says why)"]);
});

test("a run whose last checkpoint the disk refuses is not done yet: the same command goes on, and keeps it", async () => {
  const whole = await undisturbed();
  const scene = new Scene();
  const settings = [...ONE_RUN, "checkpoint.final=true"];
  disk.isFull = (path) => path.includes("/checkpoint/9/");
  const { error, stoppedBy } = await scene.run({ settings, pretence: LOSSES });
  disk.isFull = () => false;
  expect(error ?? stoppedBy).toMatchObject({ kind: "surroundings", message: expect.stringContaining("checkpoint/9") });
  expect(scene.document("a", 4)).toMatchObject({ state: "failed" });
  await scene.run({ settings, pretence: LOSSES });
  expect(scene.document("a", 4)).toMatchObject({ state: "done", finalCheckpoint: 9 });
  expect(recorded(scene)).toEqual(whole.recorded);
});

test("a final checkpoint is of the run's end, also where one was taken at its last batch before that", async () => {
  const settings = [...ONE_RUN, "checkpoint={everyBatches: 1, everyEpochs: null, final: true}"];
  const { scene } = await stoppedAt([8], { settings });
  const { state } = JSON.parse(scene.text("a/seed-4/checkpoint/9/manifest.json"));
  expect(state).toMatchObject({ step: 9, epoch: 3, underWay: null });
});

test("what a user keeps beside checkpoints stays", async () => {
  const scene = new Scene();
  await scene.run({ settings: ONE_RUN, pretence: LOSSES });
  const own = join(scene.directory, "a/seed-4/checkpoint/mine");
  mkdirSync(own, { recursive: true });
  writeFileSync(join(own, "weights.pt"), "x");
  await scene.run({ settings: ONE_RUN, pretence: LOSSES });
  expect(readdirSync(own)).toEqual(["weights.pt"]);
});

test("a last checkpoint is taken though one was asked for behind the chunk that is cancelled", async () => {
  const settings = [
    ...ONE_RUN,
    "arms.a.order={name: shuffled}",
    "checkpoint={everyBatches: 3, everyEpochs: null}",
    "backend.chunkBatches=3",
  ];
  const scene = new Scene();
  const abort = new AbortController();
  const before: Pretence["before"] = (message) => {
    if (message.type === "train" && message.fields.firstStep === 0) abort.abort();
  };
  await scene.run({ settings, abort, pretence: { ...LOSSES, doneWhenCancelled: 1, before } });
  expect(readdirSync(join(scene.directory, "a/seed-4/checkpoint"))).toEqual(["1"]);
});

test("a run that replayed other plans before is refused, and keeps its checkpoints", async () => {
  const { scene, error } = await changedMeanwhile((document) => ({ ...document, replayedSha256: "0".repeat(64) }));
  expect(error).toMatchObject({
    kind: "usage",
    message: expect.stringContaining("a/seed-4 replayed other plans than are on record now"),
  });
  expect(readdirSync(join(scene.directory, "a/seed-4/checkpoint"))).not.toEqual([]);
});

test("without any it begins anew", async () => {
  const { scene, error } = await changedMeanwhile((document, directory) => {
    rmSync(join(directory, "checkpoint"), { recursive: true });
    return { ...document, replayedSha256: "0".repeat(64) };
  });
  expect(error).toBeUndefined();
  expect(scene.document("a", 4)).toMatchObject({ state: "done" });
});

test("a run whose records are gone begins anew", async () => {
  const { scene, said } = await changedMeanwhile((document, directory) => {
    rmSync(join(directory, "metrics.jsonl"));
    return document;
  });
  expect(said[0]).toMatch(/is damaged \(metrics.jsonl is missing, and had \d+ by then\): it is not used$/);
  expect(scene.document("a", 4)).toMatchObject({ state: "done" });
});

test("another ibatch goes on, says so, and is on record beside the one that began it", async () => {
  const { scene, said } = await changedMeanwhile((document) => ({
    ...document,
    ibatchVersion: "0.0.9",
    commit: "a1b2",
  }));
  expect(said).toContainEqual(
    "a, seed 4: was begun by ibatch 0.0.9 (a1b2), and goes on with 0: the plan under way is compared, what it trains to is not",
  );
  expect(scene.document("a", 4)).toMatchObject({ ibatchVersion: "0.0.9", resumed: [{ ibatchVersion: "0" }] });
});

test("a checkpoint of other surroundings is not used, wherever it comes from", async () => {
  const { said } = await changedMeanwhile((document, directory) => {
    for (const step of readdirSync(join(directory, "checkpoint"))) {
      const path = join(directory, "checkpoint", step, "manifest.json");
      rewriteSealed(path, { surroundingsSha256: "0".repeat(64) });
    }
    return document;
  });
  expect(said[0]).toMatch(/ is damaged \(it is of surroundings that give other bits\): it is not used$/);
});

test("a run goes on recording what it began to record", async () => {
  const whole = await undisturbed();
  const { scene, said } = await changedMeanwhile((document) => document, ["record={signals: last}"]);
  expect(said).toContainEqual("a, seed 4: goes on with record.signals: full, as it was begun");
  expect(recorded(scene)).toEqual(whole.recorded);
});

test("a state that the backend does not take is named, and the one before is used", async () => {
  const whole = await undisturbed();
  const scene = await stoppedBefore(7);
  const said: string[] = [];
  const { BackendError } = await import("../../src/backend/errors.js");
  let loads = 0;
  const { client } = await scene.run({
    settings: ONE_RUN,
    observer: { noted: (line) => said.push(line) },
    pretence: {
      ...LOSSES,
      before({ type }) {
        if (type === "load" && ++loads === 1) throw new BackendError("bad_state", "the state cannot be loaded: odd");
      },
    },
  });
  expect(said[0]).toMatch(/checkpoint\/8 is damaged \(the state cannot be loaded: odd\): it is not used$/);
  expect(client.sentOf("load").map(({ fields }) => fields.step)).toEqual([8, 6]);
  expect(recorded(scene)).toEqual(whole.recorded);
});

test("a backend that is lost while a state is loaded into it is restarted", async () => {
  const whole = await undisturbed();
  const scene = await stoppedBefore(7);
  const { BackendLost } = await import("../../src/backend/errors.js");
  let loads = 0;
  const { clients, results } = await scene.run({
    settings: ONE_RUN,
    pretence: {
      ...LOSSES,
      before({ type }) {
        if (type === "load" && ++loads === 1) throw new BackendLost("the backend ended");
      },
    },
  });
  expect(results.map(({ state }) => state)).toEqual(["done"]);
  expect(clients).toHaveLength(2);
  expect(recorded(scene)).toEqual(whole.recorded);
});

/** As one that was written so. */
function rewriteSealed(path: string, changes: object): void {
  const { documentSha256: _, ...document } = JSON.parse(readFileSync(path, "utf8"));
  writeSealed(path, { ...document, ...changes });
}

test("the results of a run that lost its backend have each epoch once", async () => {
  const { BackendLost } = await import("../../src/backend/errors.js");
  let isLost = false;
  const before: Pretence["before"] = (message) => {
    if (isLost || message.type !== "train" || message.fields.firstStep < 8) return;
    isLost = true;
    throw new BackendLost("the backend ended");
  };
  const settings = [...ONE_RUN, "checkpoint.everyBatches=5"];
  const { results, clients } = await new Scene().run({ settings, pretence: { ...LOSSES, before } });
  expect(clients).toHaveLength(2);
  expect(results.map(({ metrics }) => metrics.map(({ epoch }) => epoch))).toEqual([[0, 1, 2]]);
});

test.each([
  ["the step of its last checkpoint", [], "will go on from step 2"],
  ["that there is none", ["checkpoint=null"], "has no checkpoint, and will begin anew"],
])("a run that is stopped says where it will go on: %s", async (_, settings, where) => {
  const scene = new Scene();
  const said: string[] = [];
  const abort = new AbortController();
  const before: Pretence["before"] = (message) => {
    if (message.type === "train" && message.fields.firstStep >= 2) abort.abort();
  };
  const observer: Observer = { noted: (line) => said.push(line) };
  await scene.run({ settings: [...ONE_RUN, ...settings], abort, observer, pretence: { ...LOSSES, before } });
  expect(said.at(-1)).toMatch(new RegExp(`^a, seed 4: interrupted at step \\d+; ${where}$`));
});

/** Stops a run, changes its directory, and lets it end. */
async function changedMeanwhile(
  change: (document: object, directory: string) => object,
  settings: readonly string[] = [],
) {
  const scene = await stoppedBefore(2);
  const directory = join(scene.directory, "a/seed-4");
  writeFileSync(join(directory, "run.json"), JSON.stringify(change(scene.document("a", 4), directory)));
  const said: string[] = [];
  const observer: Observer = { noted: (line) => said.push(line) };
  const { error } = await scene.run({ settings: [...ONE_RUN, ...settings], observer, pretence: LOSSES });
  return { scene, said, error };
}

describe("a checkpoint that is damaged is named, and the one before is used", () => {
  const damages: Record<string, (path: string) => void> = {
    "cut off": (path) => truncateSync(path, readFileSync(path).length >> 1),
    empty: (path) => truncateSync(path, 0),
    "a bit flipped": (path) => {
      const bytes = readFileSync(path);
      bytes[bytes.length >> 1] ^= 1;
      writeFileSync(path, bytes);
    },
    missing: (path) => rmSync(path),
  };
  const FILES = ["manifest.json", "model.safetensors", "run.safetensors"];
  const stopped = async () => {
    const scene = await stoppedBefore(7);
    const below = join(scene.directory, "a/seed-4/checkpoint");
    const steps = readdirSync(below)
      .map(Number)
      .sort((a, b) => b - a);
    expect(steps).toHaveLength(2);
    return { scene, below, steps };
  };
  const again = async (scene: Scene) => {
    const said: string[] = [];
    const observer: Observer = { noted: (line) => said.push(line) };
    const { client, results } = await scene.run({ settings: ONE_RUN, observer, pretence: LOSSES });
    expect(results.map(({ state }) => state)).toEqual(["done"]);
    return { said, trails: client.trails, loads: client.sentOf("load").map(({ fields }) => fields.step) };
  };

  test.each(FILES.flatMap((file) => Object.keys(damages).map((how): [string, string] => [file, how])))(
    "%s %s",
    async (file, how) => {
      const whole = await undisturbed();
      const { scene, below, steps } = await stopped();
      damages[how](join(below, `${steps[0]}`, file));
      const { said, loads, trails } = await again(scene);
      expect(loads).toEqual([steps[1]]);
      if (!(file === "manifest.json" && how === "missing"))
        // else never finished
        expect(said[0]).toContain(`checkpoint/${steps[0]} is damaged (${file}`);
      expect(trails).toEqual(whole.trails);
      expect(recorded(scene)).toEqual(whole.recorded);
    },
  );

  test("a manifest in which one digit is another", async () => {
    const { scene, below, steps } = await stopped();
    const manifest = join(below, `${steps[0]}`, "manifest.json");
    writeFileSync(manifest, readFileSync(manifest, "utf8").replace(/"samples": (\d)/, '"samples": 1$1'));
    const { said, loads } = await again(scene);
    expect(loads).toEqual([steps[1]]);
    expect(said[0]).toMatch(/is damaged \(manifest\.json: it was changed after it was written\): it is not used$/);
  });

  test("it goes once the one before is used, so that it counts for none of those that are kept", async () => {
    const { scene, below, steps } = await stopped();
    damages["a bit flipped"](join(below, `${steps[0]}`, "model.safetensors"));
    const abort = new AbortController();
    const stopAtTrain: Pretence = {
      before({ type }) {
        if (type === "train") abort.abort();
      },
    };
    await scene.run({ settings: ONE_RUN, abort, pretence: { ...LOSSES, ...stopAtTrain } });
    expect(readdirSync(below)).toEqual([`${steps[1]}`]);
  });

  test("of another run, under this one's name", async () => {
    const { scene, below, steps } = await stopped();
    const other = await stopped();
    const manifest = join(other.below, `${other.steps[0]}`, "manifest.json");
    rewriteSealed(manifest, { seed: 5 });
    rmSync(join(below, `${steps[0]}`), { recursive: true });
    cpSync(join(other.below, `${other.steps[0]}`), join(below, `${steps[0]}`), { recursive: true });
    const { said, loads } = await again(scene);
    expect(loads).toEqual([steps[1]]);
    expect(said[0]).toMatch(/is damaged \(it is of step \d+ of a, seed 5, config [0-9a-f]{8}\): it is not used$/);
  });

  test("all of them: the run begins anew, and says so", async () => {
    const whole = await undisturbed();
    const { scene, below, steps } = await stopped();
    for (const step of steps) damages["a bit flipped"](join(below, `${step}`, "model.safetensors"));
    const { said, loads, trails } = await again(scene);
    expect(loads).toEqual([]);
    expect(said.at(2)).toMatch(/: no checkpoint is left, and the run begins anew$/);
    expect(trails).toEqual(whole.trails);
  });

  test("records that lost lines since: it is not used", async () => {
    const { scene, steps } = await stopped();
    truncateSync(join(scene.directory, "a/seed-4/metrics.jsonl"), 10);
    const { said, loads } = await again(scene);
    for (const [at, step] of steps.entries()) {
      expect(said[at]).toContain(`checkpoint/${step} is damaged (metrics.jsonl has 10 bytes, and had `);
    }
    expect(loads).toEqual([]);
  });
});
