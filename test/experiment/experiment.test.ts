import { readdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import { BackendError, BackendLost, NothingListens } from "../../src/backend/errors.js";
import { IbatchError, surroundingsError } from "../../src/errors.js";
import type { Observer } from "../../src/experiment/observer.js";
import { readResults } from "../../src/results/recorded-results.js";
import { Interrupted } from "../../src/training/session.js";
import type { FakeBackend, Pretence, Sent } from "./fake-backend.js";
import { Scene, temporaryDirectory } from "./scene.js";

const RUNS = ["frozen 0", "shuffled 0", "frozen 1", "shuffled 1"];
const named = (results: readonly { arm: string; seed: number }[]) => results.map(({ arm, seed }) => `${arm} ${seed}`);

/** Says what happens, a word or two each. */
function listener() {
  const heard: string[] = [];
  const observer: Observer = {
    runStarted: ({ arm, seed, number, total }) => heard.push(`start ${number}/${total} ${arm} ${seed}`),
    runEnded: ({ arm, seed }, { state, kept, error }) =>
      heard.push(`end ${arm} ${seed} ${state}${kept ? " kept" : ""}${error ? ` ${error}` : ""}`),
  };
  return { heard, observer };
}

/** Fails the second session's second chunk with this error. */
const failing = (error: Error) => ({
  before(message: Sent) {
    if (message.type === "train" && message.fields.session === "s2" && message.fields.firstStep === 2) throw error;
  },
});

test("runs seed by seed, all arms of one seed before the next, so that arms stay comparable whenever it ends", async () => {
  const { heard, observer } = listener();
  const { results, client } = await new Scene().run({ observer });
  expect(named(results)).toEqual(RUNS);
  expect(results.map(({ state, metrics }) => [state, metrics.length])).toEqual(new Array(4).fill(["done", 3]));
  expect(client.sentOf("open").map(({ fields }) => fields.seed)).toEqual([0, 0, 1, 1]);
  expect(heard).toEqual(RUNS.flatMap((run, number) => [`start ${number}/4 ${run}`, `end ${run} done`]));
});

test("progress: the share of the run rises to 1, samples are counted over epochs, the loss is the epoch's mean so far", async () => {
  const told: { epoch: number; samples: number; share: number; loss: number }[] = [];
  await new Scene().run({
    settings: ["arms={frozen: {order: frozen}}", "seeds=1", "epochs=2", "backend.chunkBatches=3"],
    observer: { trained: (_, progress) => told.push(progress) },
    pretence: { loss: (_, step) => (step < 3 ? 1 : 3) },
  });
  expect(told.map(({ epoch, samples }) => [epoch, samples])).toEqual([
    [0, 15],
    [0, 24],
    [1, 39],
    [1, 48],
  ]);
  const shares = [15 / 48, 24 / 48, 39 / 48, 1];
  for (const [at, { share }] of told.entries()) expect(share).toBeCloseTo(shares[at], 12);
  expect(told.map(({ loss }) => loss)).toEqual([1, (15 + 9 * 3) / 24, 3, 3]);
});

describe("one run's trouble is its own", () => {
  test("diverged: counted, with its step; the other runs go on", async () => {
    const scene = new Scene();
    const { results } = await scene.run({
      pretence: { loss: (_, step, seed) => (seed === 1 && step === 6 ? Number.NaN : 1) },
    });
    expect(results.map(({ state, divergedAtStep }) => [state, divergedAtStep])).toEqual([
      ["done", undefined],
      ["done", undefined],
      ["diverged", 6],
      ["diverged", 6],
    ]);
  });

  test("failed: recorded with its error; the other runs go on", async () => {
    const { heard, observer } = listener();
    const scene = new Scene();
    const { results, client } = await scene.run({
      observer,
      pretence: failing(new BackendError("out_of_memory", "a batch of 5 did not fit")),
    });
    expect(results.map(({ state }) => state)).toEqual(["done", "failed", "done", "done"]);
    const said = "in epoch 1: a batch of 5 did not fit";
    expect(results[1]).toMatchObject({ error: said, metrics: [] });
    expect(scene.document("shuffled", 0)).toMatchObject({ state: "failed", error: said });
    expect(heard).toContain(`end shuffled 0 failed ${said}`);
    expect(client.sentOf("close")).toHaveLength(4);
  });

  test("what the backend says of a run's session is told, each line once", async () => {
    const noted: string[] = [];
    let opens = 0;
    await new Scene().run({
      observer: { noted: (line) => noted.push(line) },
      pretence: {
        openedFor: () => ({ notices: ["class 2 has no sample", ...(++opens === 3 ? ["mkldnn was set back"] : [])] }),
      },
    });
    expect(noted).toEqual(["class 2 has no sample", "mkldnn was set back"]);
  });

  test("nothing starts that cannot be opened", async () => {
    const { heard, observer } = listener();
    const error = new IbatchError("run", "no such images");
    const before = ({ type }: Sent) => {
      if (type === "open") throw error;
    };
    await new Scene().run({ observer, pretence: { before }, settings: ["seeds=1"] });
    expect(heard).toEqual(["end frozen 0 failed no such images", "end shuffled 0 failed no such images"]);
  });

  test("failed at once, when its session could not be opened: recorded, too", async () => {
    const scene = new Scene();
    const { results } = await scene.run({
      pretence: {
        before({ type, fields }) {
          if (type === "open" && fields.seed === 1) throw new BackendError("out_of_memory", "no room");
        },
      },
    });
    expect(results.map(({ state }) => state)).toEqual(["done", "done", "failed", "failed"]);
    expect(scene.document("frozen", 1)).toMatchObject({ arm: "frozen", seed: 1, state: "failed", error: "no room" });
  });

  test("a session that cannot be closed changes no outcome: the run stays as recorded, the log hears of it", async () => {
    const scene = new Scene();
    const { results, error } = await scene.run({
      settings: ["arms={frozen: {order: frozen}}", "seeds=1"],
      pretence: {
        before({ type }) {
          if (type === "close") throw new BackendError("internal", "it would not close");
        },
      },
    });
    expect(error).toBeUndefined();
    expect(results).toMatchObject([{ state: "done" }]);
    expect(scene.document("frozen", 0)).toMatchObject({ state: "done" });
    expect(scene.metrics("frozen", 0)).toHaveLength(3);
    expect(scene.text("log.txt")).toMatch(/frozen, seed 0: closing its session failed: .*it would not close\n$/);
  });

  test("one whose code changed what every run is computed with fails at its close, and is never recorded as done", async () => {
    const scene = new Scene();
    const changed = "code of this run changed the default dtype (torch.float32, then torch.float64)";
    const atClose: unknown[] = [];
    const { results, error, client } = await scene.run({
      settings: ["arms={frozen: {order: frozen}}", "seeds=1"],
      pretence: {
        before({ type }) {
          if (type !== "close") return;
          atClose.push(scene.document("frozen", 0).state);
          throw new BackendError("bad_reference", changed);
        },
      },
    });
    expect(error).toBeUndefined();
    expect(results).toMatchObject([{ state: "failed", error: `at its end: ${changed}` }]);
    expect(scene.document("frozen", 0)).toMatchObject({ state: "failed", error: `at its end: ${changed}` });
    expect(atClose).toEqual(["running"]);
    expect(client.sentOf("close")).toHaveLength(1);
  });

  test("nor does it hide the error that ended the run", async () => {
    const scene = new Scene();
    const { results } = await scene.run({
      settings: ["arms={frozen: {order: frozen}}", "seeds=1"],
      pretence: {
        before({ type }) {
          if (type === "train") throw new BackendError("out_of_memory", "a batch of 5 did not fit");
          if (type === "close") throw new BackendError("internal", "it would not close");
        },
      },
    });
    expect(results).toMatchObject([{ state: "failed", error: "in epoch 1: a batch of 5 did not fit" }]);
  });

  test("failed by the user's own code or data once it is trained: recorded with the epoch; the others go on", async () => {
    const scene = new Scene();
    const { results, error } = await scene.run({
      pretence: {
        before({ type, fields }) {
          if (type !== "train" || fields.session !== "s2" || fields.firstStep !== 7) return;
          throw new BackendError("bad_reference", "team.data:load: train item 77 could not be read");
        },
      },
    });
    expect(error).toBeUndefined();
    expect(results.map(({ state }) => state)).toEqual(["done", "failed", "done", "done"]);
    const said = "in epoch 2: team.data:load: train item 77 could not be read";
    expect(scene.document("shuffled", 0)).toMatchObject({ state: "failed", error: said });
  });

  test("failed by a later epoch's batch that is too small for the model", async () => {
    const { results, error } = await new Scene().run({
      settings: ["arms.shuffled.batching={name: steps, sizes: [5, 23], at: [2]}"],
      pretence: { opened: { leastBatchSize: 2 } },
    });
    expect(error).toBeUndefined();
    expect(results.map(({ state }) => state)).toEqual(["done", "failed", "done", "failed"]);
    expect(results[1].error).toMatch(/^order shuffled in epoch 3: batch 1 has 1 sample; /);
  });

  test("failed by what only this arm's session is refused for: nothing of it is trained, the others go on", async () => {
    const noted: string[] = [];
    const scene = new Scene();
    const { results, client, error } = await scene.run({
      settings: ["arms.frozen.augmentation.crop=2"],
      observer: { noted: (line) => noted.push(line) },
      pretence: {
        before({ type, fields }) {
          if (type === "open" && fields.augmentation.crop > 0) throw new BackendError("bad_option", "take crop 0");
        },
      },
    });
    expect(error).toBeUndefined();
    expect(results.map(({ state, error: why }) => why ?? state)).toEqual([
      "take crop 0",
      "done",
      "take crop 0",
      "done",
    ]);
    expect(noted).toEqual(["arm frozen is not trained: take crop 0"]);
    expect(client.sentOf("open").map(({ fields }) => fields.augmentation.crop)).toEqual([2, 2, 0, 0, 0]);
    expect(scene.document("frozen", 1)).toMatchObject({ state: "failed", error: "take crop 0" });
  });

  test.each<[string, Pretence["opened"], RegExp]>([
    [
      "another start",
      { initialWeightsSha256: "f".repeat(64) },
      /^\S+frozen\/seed-0 has the same model .*started otherwise/,
    ],
    ["other threads", { threads: 2 }, /^\S+frozen\/seed-0 was made in surroundings .*\(threads 1, now 2\)/],
    ["other data", { dataSha256: "c".repeat(64) }, /^\S+frozen\/seed-0 was trained on other data /],
  ])("failed by %s than a run of before: told with arm and seed; the others go on", async (_, opened, says) => {
    const { heard, observer } = listener();
    const scene = new Scene();
    let opens = 0;
    const { results, error } = await scene.run({
      observer,
      pretence: { openedFor: () => (++opens === 2 ? opened : undefined) ?? {} },
    });
    expect(error).toBeUndefined();
    expect(results.map(({ state }) => state)).toEqual(["done", "failed", "done", "done"]);
    expect(scene.document("shuffled", 0)).toMatchObject({ state: "failed", error: expect.stringMatching(says) });
    expect(heard.find((line) => line.startsWith("end shuffled 0 failed"))?.slice(22)).toMatch(says);
  });

  test("failed are all that are left where the backend is another from then on: what is done is kept", async () => {
    let opens = 0;
    const { results, error } = await new Scene().run({
      pretence: { openedFor: () => (++opens >= 2 ? { threads: 2 } : {}) },
    });
    expect(error).toBeUndefined();
    expect(results.map(({ state }) => state)).toEqual(["done", "failed", "failed", "failed"]);
  });

  test("what all arms are refused for ends the experiment before anything is trained or recorded", async () => {
    const scene = new Scene();
    const { client, error } = await scene.run({
      pretence: {
        before({ type }) {
          if (type === "open") throw new BackendError("bad_option", "take crop 0");
        },
      },
    });
    expect(error).toMatchObject({ kind: "usage", message: "arm frozen: take crop 0" });
    expect(client.sentOf("train")).toEqual([]);
    expect([scene.has("frozen"), scene.has("shuffled")]).toEqual([false, false]);
  });

  test("a failed run is tried again by the same command", async () => {
    const scene = new Scene();
    await scene.run({ pretence: failing(new BackendError("internal", "broken")) });
    const { results, client } = await scene.run();
    expect(results.map(({ state }) => state)).toEqual(new Array(4).fill("done"));
    expect(client.sentOf("open")).toHaveLength(1);
    expect(scene.document("shuffled", 0).error).toBeUndefined();
  });
});

/** A run that loses its backend is not begun with another one. */
const ONCE = ["backend.restarts=0"];

describe("a backend that dies under a run", () => {
  const gone = new BackendLost("the backend ended: exit code 9", ["Traceback", "no more memory"]);
  /** Loses the backend in the second chunk of these runs, named by arm number and seed. */
  const dying = (...runs: readonly [arm: number, seed: number][]): Pretence => {
    let opened = -1;
    return {
      before(message) {
        if (message.type === "open") opened += 1;
        if (message.type !== "train" || message.fields.firstStep !== 2) return;
        if (runs.some(([arm, seed]) => opened === 2 * seed + arm)) throw gone;
      },
    };
  };

  test("fails that run, which says at which steps and what it said last; the others get another backend", async () => {
    const { heard, observer } = listener();
    const scene = new Scene();
    const { results, clients, error } = await scene.run({ settings: ONCE, observer, pretence: dying([1, 0]) });
    const said =
      "the backend ended: exit code 9; under way: training, steps 2 to 3; its last lines: Traceback | no more memory";
    expect(error).toBeUndefined();
    expect(results.map(({ state }) => state)).toEqual(["done", "failed", "done", "done"]);
    expect(scene.document("shuffled", 0)).toMatchObject({ state: "failed", error: said });
    expect(heard).toContain(`end shuffled 0 failed ${said}`);
    expect(clients.map((client) => client.sentOf("open").map(({ fields }) => fields.seed))).toEqual([
      [0, 0],
      [1, 1],
    ]);
  });

  test("is borne twice in a row, and again after a run that ended", async () => {
    const { error, results, clients } = await new Scene().run({
      settings: [...ONCE, "seeds=3"],
      pretence: dying([0, 0], [1, 0], [1, 1], [0, 2]),
    });
    expect(error).toBeUndefined();
    expect(results.map(({ state }) => state)).toEqual(["failed", "failed", "done", "failed", "failed", "done"]);
    expect(clients).toHaveLength(5);
  });

  test("three times in a row: the runs that are left are not tried, and are failed ones", async () => {
    const scene = new Scene();
    const { error, results, clients } = await scene.run({
      settings: [...ONCE, "seeds=3"],
      pretence: dying([1, 0], [0, 1], [1, 1]),
    });
    expect(error).toBeUndefined();
    expect(results.map(({ state }) => state)).toEqual(["done", "failed", "failed", "failed", "failed", "failed"]);
    const said = "not tried: 3 runs in a row lost their backend (the last one: arm shuffled, seed 1)";
    for (const arm of ["frozen", "shuffled"]) {
      expect(scene.document(arm, 2)).toMatchObject({ state: "failed", error: said });
    }
    expect(scene.document("shuffled", 1).error).toMatch(/^the backend ended: exit code 9; .*no more memory$/);
    expect(clients.map((client) => client.sentOf("open").length)).toEqual([2, 1, 1]);
  });

  test("three times in a row beside an arm that is kept: the kept runs are results, as all others", async () => {
    const scene = new Scene();
    const seeds = "seeds=3";
    await scene.run({ settings: [seeds, "arms={frozen: {order: frozen}}"] });
    const { error, results } = await scene.run({
      settings: [...ONCE, seeds],
      pretence: {
        before({ type }) {
          if (type === "train") throw gone;
        },
      },
    });
    expect(error).toBeUndefined();
    expect(results.map(({ arm, state }) => `${arm} ${state}`)).toEqual(
      [0, 1, 2].flatMap(() => ["frozen done", "shuffled failed"]),
    );
  });

  test("and cannot be replaced: the runs that are left are failed ones that say why, and what is done is a result", async () => {
    const scene = new Scene();
    const refusal = surroundingsError("the backend cannot start: no torch");
    const { error, stoppedBy, results, clients } = await scene.run({
      settings: ONCE,
      pretence: dying([1, 0]),
      noOther: refusal,
    });
    expect({ error, stoppedBy }).toEqual({ error: undefined, stoppedBy: refusal });
    expect(clients).toHaveLength(1);
    const untried = "not tried: the backend cannot start: no torch";
    expect(results.map(({ error: said }) => said)).toEqual([
      undefined,
      expect.stringMatching(/^the backend ended: exit code 9; /),
      refusal.message,
      untried,
    ]);
    expect(scene.document("frozen", 1)).toMatchObject({ state: "failed", error: refusal.message });
    const again = await scene.run();
    expect(again.results.map(({ state }) => state)).toEqual(new Array(4).fill("done"));
  });
});

const paused = vi.hoisted(() => [] as number[]);
vi.mock("node:timers/promises", async (original) => ({
  ...(await original<typeof import("node:timers/promises")>()),
  setTimeout: async (milliseconds: number) => void paused.push(milliseconds),
}));

describe("a run that loses its backend goes on with another one", () => {
  const gone = new BackendLost("the backend ended: exit code 9", ["no more memory"]);
  const ONE_RUN = [
    "arms={shuffled: {order: shuffled}}",
    "seeds=1",
    "checkpoint.everyBatches=2",
    "backend.chunkBatches=3",
  ];
  /** Loses the backend when it comes to these steps, each once. */
  const dyingAt = (...steps: readonly number[]): Pretence => {
    const left = [...steps];
    const dead = new Set<FakeBackend>();
    return {
      before(message, backend) {
        if (dead.has(backend)) throw gone;
        if (message.type !== "train" || message.fields.firstStep < (left[0] ?? Number.POSITIVE_INFINITY)) return;
        left.shift();
        dead.add(backend);
        throw gone;
      },
    };
  };
  /** What equals the undisturbed run's, to the byte. */
  const recorded = (scene: Scene) =>
    Object.fromEntries(
      scene
        .files("shuffled")
        .filter((file) => !/run\.json|timings\.jsonl|SHA256SUMS/.test(file))
        .map((file) => [file, scene.bytes(file).toString("latin1")]),
    );

  test.each([
    ["in its first epoch", [3]],
    ["twice in an epoch", [6, 8]],
    ["in each epoch", [3, 7, 11]],
    ["before its first checkpoint", [0]],
  ])("%s: to the bit, and says so", async (_, steps) => {
    const undisturbed = new Scene();
    const { client } = await undisturbed.run({ settings: ONE_RUN });
    const said: string[] = [];
    const scene = new Scene();
    const observer: Observer = { noted: (line) => said.push(line) };
    const { clients, results } = await scene.run({ settings: ONE_RUN, observer, pretence: dyingAt(...steps) });
    expect(results.map(({ state }) => state)).toEqual(["done"]);
    expect(clients).toHaveLength(steps.length + 1);
    expect(clients.at(-1)?.trails).toEqual(client.trails);
    expect(recorded(scene)).toEqual(recorded(undisturbed));
    expect(said.filter((line) => line.includes("restart 1 of 3"))).toHaveLength(1);
    const isAnew = clients.slice(1).some((other) => other.sentOf("load").length === 0);
    expect(said.includes("shuffled, seed 0: has no checkpoint, and begins anew")).toBe(isAnew);
    expect(scene.has("shuffled/seed-0/checkpoint")).toBe(false);
    expect(paused.splice(0)).toEqual([1000, 2000].slice(0, steps.length - 1));
  });

  test("as often as the config says, then it fails", async () => {
    const scene = new Scene();
    const { clients, results } = await scene.run({
      settings: [...ONE_RUN, "backend.restarts=2"],
      pretence: dyingAt(3, 3, 3),
    });
    expect(clients).toHaveLength(3);
    expect(results).toMatchObject([
      { state: "failed", error: expect.stringMatching(/^the backend ended: exit code 9/) },
    ]);
    const again = await scene.run({ settings: ONE_RUN });
    expect(again.client.sentOf("load").map(({ fields }) => fields.step)).toEqual([4]);
    expect(again.results.map(({ state }) => state)).toEqual(["done"]);
    paused.splice(0);
  });

  const noOther = surroundingsError("the backend cannot start: signal SIGKILL");

  test("also where that one does not start at first", async () => {
    const undisturbed = new Scene();
    await undisturbed.run({ settings: ONE_RUN });
    const said: string[] = [];
    const scene = new Scene();
    const observer: Observer = { noted: (line) => said.push(line) };
    const options = { settings: ONE_RUN, observer, pretence: dyingAt(8), noOther, noOtherTimes: 2 };
    const { results, clients } = await scene.run(options);
    expect(results.map(({ state }) => state)).toEqual(["done"]);
    expect(clients).toHaveLength(2);
    expect(said.filter((line) => line.includes("restart"))).toEqual([
      expect.stringMatching(/exit code 9.*; restart 1 of 3$/),
      "shuffled, seed 0: the backend cannot start: signal SIGKILL; restart 2 of 3",
      "shuffled, seed 0: the backend cannot start: signal SIGKILL; restart 3 of 3",
    ]);
    expect(paused.splice(0)).toEqual([1000, 2000]);
    expect(recorded(scene)).toEqual(recorded(undisturbed));
  });

  test("a backend of the user's that did not come back is waited for once", async () => {
    const said: string[] = [];
    const observer: Observer = { noted: (line) => said.push(line) };
    const gone = new NothingListens("nothing listens there");
    const { stoppedBy } = await new Scene().run({
      settings: ONE_RUN,
      observer,
      pretence: dyingAt(8),
      ...{ noOther: gone, noOtherTimes: 1 },
    });
    expect(stoppedBy).toBe(gone);
    expect(said.filter((line) => line.includes("restart"))).toEqual([expect.stringMatching(/restart 1 of 3$/)]);
  });

  test("not where none starts: the run fails, and goes on when one does", async () => {
    const scene = new Scene();
    const { stoppedBy, results } = await scene.run({ settings: ONE_RUN, pretence: dyingAt(8), noOther });
    expect(stoppedBy).toBe(noOther);
    expect(results).toMatchObject([{ state: "failed", error: noOther.message }]);
    expect(paused.splice(0)).toEqual([1000, 2000]);
    const again = await scene.run({ settings: ONE_RUN });
    expect(again.results.map(({ state }) => state)).toEqual(["done"]);
    expect(again.client.sentOf("load")).toHaveLength(1);
  });
});

describe("everyone's trouble ends the experiment", () => {
  test.each<[string, BackendError, { readonly isThrown: boolean }]>([
    ["data are missing: what is done is a result", new BackendError("data_missing", "no files"), { isThrown: false }],
    ["a bug", new BackendError("bad_message", "what?"), { isThrown: true }],
  ])("%s", async (_, error, { isThrown }) => {
    const scene = new Scene();
    const { error: thrown, stoppedBy, results, client } = await scene.run({ pretence: failing(error) });
    expect(isThrown ? thrown : stoppedBy).toBe(error);
    expect(client.sentOf("open")).toHaveLength(2);
    expect(scene.document("shuffled", 0)).toMatchObject({ state: "failed", error: error.message });
    expect(scene.document("frozen", 0)).toMatchObject({ state: "done" });
    if (!isThrown) expect(results.map(({ state }) => state)).toEqual(["done", "failed", "failed", "failed"]);
  });
});

describe("an interruption", () => {
  const interrupted = async (scene: Scene) => {
    const abort = new AbortController();
    return await scene.run({
      abort,
      pretence: {
        before(message) {
          if (message.type === "train" && message.fields.session === "s2" && message.fields.firstStep === 7) {
            abort.abort();
          }
        },
      },
    });
  };

  test("between two chunks: Interrupted is thrown, the run is recorded as interrupted, what is complete stays", async () => {
    const scene = new Scene();
    const { error, client } = await interrupted(scene);
    expect(error).toBeInstanceOf(Interrupted);
    expect(scene.document("frozen", 0)).toMatchObject({ state: "done" });
    expect(scene.document("shuffled", 0)).toMatchObject({ state: "interrupted" });
    expect(scene.metrics("shuffled", 0).map(({ epoch }) => epoch)).toEqual([0]);
    expect(scene.has("frozen/seed-1")).toBe(false);
    expect(client.sentOf("close"), "and the backend is left without a session").toHaveLength(2);
    expect(scene.files().filter((file) => file.endsWith(".partial") || file === "lock")).toEqual([]);
  });

  test("the same command goes on: complete runs are kept, the interrupted one is done afresh", async () => {
    const scene = new Scene();
    await interrupted(scene);
    const { heard, observer } = listener();
    const { results, client } = await scene.run({ observer });
    expect(client.sentOf("open").map(({ fields }) => fields.seed)).toEqual([0, 1, 1]);
    expect(heard.slice(0, 3)).toEqual(["end frozen 0 done kept", "start 1/4 shuffled 0", "end shuffled 0 done"]);

    const whole = new Scene();
    const inOneGo = await whole.run();
    expect(results).toEqual(inOneGo.results);
    for (const run of ["frozen/seed-0", "shuffled/seed-0", "frozen/seed-1", "shuffled/seed-1"]) {
      expect(scene.text(`${run}/metrics.jsonl`)).toBe(whole.text(`${run}/metrics.jsonl`));
    }
    expect(scene.files().filter((file) => file !== "log.txt")).toEqual(whole.files());
  });

  test("another command says that it leaves it unfinished", async () => {
    const scene = new Scene();
    await interrupted(scene);
    const noted: string[] = [];
    const { error } = await scene.run({
      settings: ["arms={frozen: {order: frozen}}"],
      observer: { noted: (line) => noted.push(line) },
    });
    expect(error).toBeUndefined();
    expect(noted).toEqual([`${scene.directory}/shuffled/seed-0 is unfinished, and this command does not ask for it`]);
  });

  test("before the first run: nothing is opened", async () => {
    const abort = new AbortController();
    abort.abort();
    const { error, client } = await new Scene().run({ abort });
    expect(error).toBeInstanceOf(Interrupted);
    expect(client.sent).toEqual([]);
  });
});

describe("a directory that is there already", () => {
  test("with all runs complete: nothing is trained, the results are those of before", async () => {
    const scene = new Scene();
    const before = await scene.run();
    const { heard, observer } = listener();
    const { results, client } = await scene.run({ observer });
    expect(client.sent).toEqual([]);
    expect(results).toEqual(before.results);
    expect(heard).toEqual(RUNS.map((run) => `end ${run} done kept`));
  });

  test("a diverged run is a result: it is kept", async () => {
    const scene = new Scene();
    const pretence = { loss: () => Number.NaN };
    const before = await scene.run({ pretence });
    const { results, client } = await scene.run({ pretence });
    expect(client.sent).toEqual([]);
    expect(results).toEqual(before.results);
    expect(results[3]).toMatchObject({ state: "diverged", divergedAtStep: 0 });
  });

  test("one more seed: only its runs are done", async () => {
    const scene = new Scene();
    await scene.run();
    const { results, client } = await scene.run({ settings: ["seeds=[0, 1, 9]"] });
    expect(named(results)).toEqual([...RUNS, "frozen 9", "shuffled 9"]);
    expect(client.sentOf("open").map(({ fields }) => fields.seed)).toEqual([9, 9]);
  });

  test("one more arm: only its runs are done", async () => {
    const scene = new Scene();
    await scene.run();
    const { results, client } = await scene.run({ settings: ["arms.pure={order: homogeneous}"] });
    expect(results).toHaveLength(6);
    expect(client.sentOf("open").map(({ fields }) => fields.seed)).toEqual([0, 1]);
  });

  test("fewer threads, the device named, other chunks: the same experiment, trained in those chunks", async () => {
    const scene = new Scene();
    const before = await scene.run();
    const settings = ["backend.threads=1", "backend.device=cpu", "backend.chunkBatches=1"];
    const { client } = await scene.run({ settings });
    expect(client.sent).toEqual([]);
    const more = await scene.run({ settings: [...settings, "seeds=[0, 1, 9]"] });
    expect(more.results.slice(0, 4)).toEqual(before.results);
    const messages = (sent: typeof client) => sent.sentOf("train").length;
    expect(messages(more.client) / 2).toBeGreaterThan(messages(before.client) / 4); // two runs now, four before
  });

  test("of another experiment: refused before anything is sent or changed, naming both", async () => {
    const scene = new Scene();
    await scene.run();
    const files = scene.files().map((file) => [file, scene.text(file)]);
    const { hash } = JSON.parse(scene.text("experiment.json"));
    await expect(scene.run({ settings: ["epochs=4"] })).rejects.toMatchObject({
      kind: "usage",
      message: expect.stringMatching(
        new RegExp(
          `^${scene.directory} holds experiment ${hash.slice(0, 8)}, this config is experiment [0-9a-f]{8} ` +
            "\\(epochs: 3 there, 4 here\\): name another directory with --out, or run what made it: test$",
        ),
      ),
    });
    expect(scene.files().map((file) => [file, scene.text(file)])).toEqual(files);
  });

  test("with an arm of other settings: refused before the first run, naming both", async () => {
    const scene = new Scene();
    await scene.run({ settings: ["seeds=1"] });
    const configHash = String(scene.document("frozen", 0).configHash);
    const files = scene.files().map((file) => [file, scene.text(file)]);
    const { error, client } = await scene.run({ settings: ["seeds=2", "arms.frozen.order.sequence=shuffled"] });
    expect(error).toBeInstanceOf(IbatchError);
    expect(error).toMatchObject({
      kind: "usage",
      message: expect.stringMatching(
        new RegExp(
          `^${scene.directory}/frozen/seed-0 holds arm frozen with other settings \\(${configHash.slice(0, 8)}, ` +
            'now [0-9a-f]{8}: order.options.sequence: "file" there, "shuffled" here\\): name another directory with --out, or give the arm another name$',
        ),
      ),
    });
    expect(client.sent).toEqual([]);
    expect(scene.files().map((file) => [file, scene.text(file)])).toEqual(files);
  });

  test("with an arm of other settings under a seed that is not asked for: refused, too", async () => {
    const scene = new Scene();
    await scene.run({ settings: ["seeds=[0]"] });
    const { error, client } = await scene.run({ settings: ["seeds=[1]", "arms.frozen.order.sequence=shuffled"] });
    expect(error).toMatchObject({ kind: "usage", message: expect.stringContaining("/frozen/seed-0 holds arm frozen") });
    expect(client.sent).toEqual([]);
  });

  test("the results are of exactly the seeds that were asked for", async () => {
    const scene = new Scene();
    await scene.run();
    const { results } = await scene.run({ settings: ["seeds=[1, 5]"] });
    expect(named(results)).toEqual(["frozen 1", "shuffled 1", "frozen 5", "shuffled 5"]);
  });

  test("each run keeps what made it, also when a later command drops its arm", async () => {
    const scene = new Scene();
    await scene.run({ settings: ["seeds=1"] });
    const before = scene.document("frozen", 0);
    await scene.run({ settings: ["seeds=2", "arms={shuffled: {order: shuffled}}"] });
    expect(scene.document("frozen", 0)).toEqual(before);
    expect(before).toMatchObject({ ibatchVersion: "0", config: { order: { name: "frozen" } } });
  });
});

describe("what is on record is only replaced by something better", () => {
  /** Interrupted in the second epoch of the first run. */
  const interrupted = async () => {
    const scene = new Scene();
    const abort = new AbortController();
    const observer: Observer = { epochEnded: () => abort.abort() };
    await scene.run({ observer, abort });
    expect(scene.document("frozen", 0)).toMatchObject({ state: "interrupted" });
    expect(scene.metrics("frozen", 0)).toHaveLength(1);
    return scene;
  };
  const refusing = (error: Error): Pretence => ({
    before({ type }) {
      if (type === "open") throw error;
    },
  });

  test("a session that cannot be opened leaves the epochs of the attempt before", async () => {
    const scene = await interrupted();
    await scene.run({ pretence: refusing(new BackendError("out_of_memory", "no room")) });
    expect(scene.document("frozen", 0)).toMatchObject({
      state: "failed",
      error: "no room",
      surroundings: { device: "cpu" },
    });
    expect(scene.metrics("frozen", 0)).toHaveLength(1);
    expect(scene.has("frozen/seed-0/orders/0000.u32")).toBe(true);
  });

  test("a file in a later run's place is found before anything is sent", async () => {
    const scene = await interrupted();
    writeFileSync(join(scene.directory, "shuffled"), "mine");
    const { client, error } = await scene.run();
    expect(error).toMatchObject({
      kind: "usage",
      message: expect.stringMatching(/\/shuffled is a file, where a directory belongs: move it, or/),
    });
    expect(client.sent).toEqual([]);
    expect(scene.text("shuffled")).toBe("mine");
  });
});

describe("what lies in the place of a directory", () => {
  test("of an arm that is not asked for, is said; the others are done", async () => {
    const scene = new Scene();
    await scene.run({ settings: ["seeds=1"] });
    rmSync(join(scene.directory, "shuffled"), { recursive: true });
    symlinkSync("/nowhere/at/all", join(scene.directory, "shuffled"));
    const noted: string[] = [];
    const settings = ["arms={frozen: {order: frozen}}"];
    const { error, results } = await scene.run({ settings, observer: { noted: (line) => noted.push(line) } });
    expect(error).toBeUndefined();
    expect(results.map(({ state }) => state)).toEqual(["done", "done"]);
    const said = `${scene.directory}/shuffled is a link to /nowhere/at/all, which is not there: bring that back, or remove it`;
    expect(noted).toEqual([`left out: ${said}`]);
    const again = await scene.run();
    expect(again.error).toMatchObject({ kind: "usage", message: `${said}, or name another --out` });
    expect(again.client.sent).toEqual([]);
  });

  test("of the datasets, is found before a backend is asked for", async () => {
    const scene = new Scene();
    await scene.run({ settings: ["seeds=1"] });
    rmSync(join(scene.directory, "datasets"), { recursive: true });
    writeFileSync(join(scene.directory, "datasets"), "mine");
    await expect(scene.run()).rejects.toMatchObject({
      kind: "usage",
      message: `${scene.directory}/datasets is a file, where a directory belongs: move it`,
    });
    expect(scene.text("datasets")).toBe("mine");
  });
});

describe("an arm on record whose name differs in capitals alone", () => {
  test("is refused: some disks have one directory for both", async () => {
    const scene = new Scene();
    await scene.run({ settings: ["seeds=1"] });
    const { client, error } = await scene.run({ settings: ["seeds=1", "arms={Frozen: {order: frozen}}"] });
    expect(error).toMatchObject({
      kind: "usage",
      message: `arm "Frozen" differs from ${scene.directory}/frozen/seed-0 in capitals alone: give it the name on record, or another one`,
    });
    expect(client.sent).toEqual([]);
  });
});

describe("a directory that has lost its experiment.json", () => {
  test("goes on with the config that made its runs, and no other", async () => {
    const scene = new Scene();
    await scene.run({ settings: ["seeds=1"] });
    writeFileSync(join(scene.directory, "experiment.json"), "{");
    const other = await scene.run({ settings: ["seeds=1", "arms={other: {order: frozen}}"] });
    expect(other.error).toMatchObject({
      kind: "usage",
      message: expect.stringMatching(/has lost its experiment\.json/),
    });
    const changed = await scene.run({ settings: ["seeds=1", "epochs=4"] });
    expect(changed.error).toMatchObject({ kind: "usage", message: expect.stringMatching(/with other settings/) });
    expect(scene.text("experiment.json")).toBe("{");
    const { results, client, error } = await scene.run({ settings: ["seeds=2"] });
    expect(error).toBeUndefined();
    expect(results).toHaveLength(4);
    expect(client.sentOf("open")).toHaveLength(2);
    expect(JSON.parse(scene.text("experiment.json"))).toMatchObject({ name: "small" });
  });
});

describe("an arm whose directory was moved to another disk and linked", () => {
  test("keeps its finished runs: nothing is trained, nothing changes", async () => {
    const scene = new Scene();
    await scene.run();
    const elsewhere = join(temporaryDirectory(), "frozen");
    renameSync(join(scene.directory, "frozen"), elsewhere);
    symlinkSync(elsewhere, join(scene.directory, "frozen"));
    const before = readFileSync(join(elsewhere, "seed-0", "run.json"), "utf8");
    const { client, results } = await scene.run();
    expect(client.sent).toEqual([]);
    expect(results.map(({ state }) => state)).toEqual(new Array(4).fill("done"));
    expect(readFileSync(join(elsewhere, "seed-0", "run.json"), "utf8")).toBe(before);
  });

  test("gets its further runs there", async () => {
    const scene = new Scene();
    await scene.run({ settings: ["seeds=1"] });
    const elsewhere = join(temporaryDirectory(), "frozen");
    renameSync(join(scene.directory, "frozen"), elsewhere);
    symlinkSync(elsewhere, join(scene.directory, "frozen"));
    const { client } = await scene.run({ settings: ["seeds=2"] });
    expect(client.sentOf("open")).toHaveLength(2);
    expect(readdirSync(elsewhere).sort()).toEqual(["seed-0", "seed-1"]);
  });
});

describe("a run that says it is done is believed with its metrics alone", () => {
  const damaged = async (damage: (lines: string[]) => string[], settings: string[] = []) => {
    const scene = new Scene();
    await scene.run();
    asBeforeChecksums(scene, "shuffled/seed-1");
    const path = `${scene.directory}/shuffled/seed-1/metrics.jsonl`;
    writeFileSync(path, damage(scene.text("shuffled/seed-1/metrics.jsonl").split("\n")).join("\n"));
    const { error, client } = await scene.run({ settings: ["seeds=3", ...settings] });
    expect(client.sent, "before the first run starts").toEqual([]);
    return { error, directory: `${scene.directory}/shuffled/seed-1` };
  };

  test.each([
    ["no line", () => [], "timings.jsonl has 3 epochs, metrics.jsonl 0"],
    [
      "a line too few",
      ([first, second]: string[]) => [first, second, ""],
      "timings.jsonl has 3 epochs, metrics.jsonl 2",
    ],
    [
      "a last line without the test set",
      (lines: string[]) => lines.map((line) => line.replace(/"test":\{.*?\},/, "")),
      "its last epoch has no measurement on the test set",
    ],
  ])("%s", async (_, damage, seen) => {
    const { error, directory } = await damaged(damage);
    expect(error).toMatchObject({
      kind: "usage",
      message:
        `${directory}/run.json is damaged (it says done, but ${seen}): ` +
        `remove ${directory}, and the same command does this run again`,
    });
  });

  test("a digit of its metrics that has changed is noticed before the first run starts", async () => {
    const scene = new Scene();
    await scene.run();
    const path = `${scene.directory}/shuffled/seed-1/metrics.jsonl`;
    const text = readFileSync(path, "utf8");
    writeFileSync(
      path,
      text.replace(/"accuracy":0\.(\d)/, (_, digit) => `"accuracy":0.${(Number(digit) + 1) % 10}`),
    );
    const { error, client } = await scene.run({ settings: ["seeds=3"] });
    expect(client.sent).toEqual([]);
    expect(error).toMatchObject({
      kind: "usage",
      message: expect.stringContaining(`${path} is damaged (it is not what the run recorded: SHA-256 `),
    });
  });

  test.each([
    ["metrics.jsonl", "an arm", ["arms={frozen: {order: frozen}}"]],
    ["run.json", "an arm", ["arms={frozen: {order: frozen}}"]],
    ["orders/0001.u32", "a seed", ["seeds=1"]],
  ])("damage of %s does not keep %s from its runs that is not asked for, and is said", async (file, _, settings) => {
    const scene = new Scene();
    await scene.run();
    const path = `${scene.directory}/shuffled/seed-1/${file}`;
    writeFileSync(path, "{");
    const noted: string[] = [];
    const { error, results } = await scene.run({ settings, observer: { noted: (line) => noted.push(line) } });
    expect(error).toBeUndefined();
    expect(results.map(({ state }) => state)).toEqual(["done", "done"]);
    expect(noted).toEqual([expect.stringContaining(`left out: ${path} is damaged (`)]);
    const table = await readResults(scene.directory, {
      python: "/nowhere/python",
      signal: new AbortController().signal,
    });
    expect(table.damaged).toMatchObject([{ arm: "shuffled", seed: 1 }]);
  });

  test("a dataset without test images needs no such measurement", async () => {
    const scene = new Scene();
    await scene.run({ pretence: { testCount: 0 } });
    const { results, client } = await scene.run({ pretence: { testCount: 0 } });
    expect(client.sent).toEqual([]);
    expect(results.map(({ state }) => state)).toEqual(new Array(4).fill("done"));
  });
});

/** Takes from a run what records had not before there were checksums. */
function asBeforeChecksums(scene: Scene, run: string): void {
  rmSync(join(scene.directory, run, "SHA256SUMS"));
  const { checksums: _, ...document } = JSON.parse(scene.text(`${run}/run.json`));
  writeFileSync(join(scene.directory, run, "run.json"), JSON.stringify(document));
}

describe("a run beside results that were made", () => {
  /** Adds seed 2 to seeds 0 and 1, here and now otherwise than then. */
  const added = async (pretence: Pretence, settings: string[] = ["seeds=[2]"]) => {
    const scene = new Scene();
    await scene.run();
    const { error, client } = await scene.run({ pretence, settings });
    return { scene, error, client };
  };

  test("on other data: refused, naming both hashes", async () => {
    const { scene, error, client } = await added({ opened: { dataSha256: "c".repeat(64) } });
    expect(error).toMatchObject({
      kind: "usage",
      message:
        `arm frozen: ${scene.directory}/frozen/seed-0 was trained on other data (SHA-256 dddddddd, now cccccccc): ` +
        "name the data it was made with by --data, or name another directory with --out",
    });
    expect(new Set(client.sent.map(({ type }) => type))).toEqual(new Set(["open", "close"]));
    expect(scene.has("frozen/seed-2")).toBe(false);
  });

  test("of another dataset's arm: other data are no wonder", async () => {
    const settings = ["arms={other: {order: frozen, dataset: mnist}}"];
    const { error } = await added({ opened: { dataSha256: "c".repeat(64) } }, settings);
    expect(error).toBeUndefined();
  });

  test.each<[string, Pretence, string]>([
    ["another device", { introduction: { device: "cuda:0" } }, "device cpu, now cuda"],
    ["another model of it", { introduction: { deviceName: "abacus" } }, "device name pretence, now abacus"],
    ["other threads", { introduction: { threads: 4 } }, "threads 1, now 4"],
    ["a backend that was restarted since it was greeted", { opened: { threads: 2 } }, "threads 1, now 2"],
    ["another torch", { introduction: { versions: { torch: "3" } } }, "torch 2, now 3"],
    [
      "another memory format",
      {
        opened: {
          settings: {
            memoryFormat: "channels_last",
            precision: "float32",
            deterministic: true,
            fusedUpdates: false,
            recordedSteps: false,
            dropout: [],
            batchNormLayers: 0,
          },
        },
      },
      'memoryFormat "contiguous", now "channels_last"',
    ],
  ])("with %s: refused, naming the difference", async (_, pretence, difference) => {
    const { scene, error } = await added(pretence);
    expect(error).toMatchObject({
      kind: "usage",
      message:
        `arm frozen: ${scene.directory}/frozen/seed-0 was made in surroundings that give other bits (${difference}): ` +
        "run where it was made (see its run.json; backend.device, backend.threads, backend.fast), or name another directory with --out",
    });
    expect(scene.has("frozen/seed-2")).toBe(false);
  });

  test.each(["cuda", "cudnn", "driver"])(
    "with another %s: refused; a record that does not name it is no other",
    async (name) => {
      const versions = { python: "3", torch: "2" };
      const scene = new Scene();
      await scene.run({ settings: ["seeds=[0]"] });
      await scene.run({ pretence: { opened: { versions: { ...versions, [name]: "12.4" } } }, settings: ["seeds=[1]"] });
      const { error } = await scene.run({
        pretence: { opened: { versions: { ...versions, [name]: "12.6" } } },
        settings: ["seeds=[2]"],
      });
      expect(error).toMatchObject({ message: expect.stringContaining(`(${name} 12.4, now 12.6)`) });
    },
  );

  test("on another of several equal GPUs, with another Python: the same bits", async () => {
    const scene = new Scene();
    await scene.run({ pretence: { introduction: { device: "cuda:0" } } });
    const pretence = { introduction: { device: "cuda:1", versions: { python: "4", torch: "2" } } };
    const { error, results } = await scene.run({ pretence, settings: ["seeds=3"] });
    expect(error).toBeUndefined();
    expect(results).toHaveLength(6);
  });
});
