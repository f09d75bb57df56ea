// Runs at several backends side by side: which takes what, what each is made beside, and how they end.
import { existsSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { BackendLost } from "../../src/backend/errors.js";
import { surroundingsError } from "../../src/errors.js";
import type { PlannedRun } from "../../src/experiment/plan-runs.js";
import { RunQueue } from "../../src/experiment/run-queue.js";
import { delayed, type Pretence, weightsAtStart } from "./fake-backend.js";
import { Scene, type SceneOptions } from "./scene.js";

/** Six runs; of one arm by the losses. */
const SIX = ["seeds=3", "arms.frozen.order=loss-global"];
const LOSSES: Pretence = { loss: (index, step, seed) => (((index + 1) * 7 + step * 5 + seed) % 23) / 23 + 0.01 };

/** All that is recorded of runs, but for times. */
const recorded = (scene: Scene) =>
  Object.fromEntries(
    ["frozen", "shuffled"]
      .flatMap((arm) => scene.files(arm))
      .filter((file) => !/run\.json|timings\.jsonl|SHA256SUMS|checkpoint/.test(file))
      .map((file) => [file, scene.bytes(file).toString("latin1")]),
  );

const run = (scene: Scene, options: SceneOptions = {}) => scene.run({ settings: SIX, pretence: LOSSES, ...options });

async function undisturbed() {
  const scene = new Scene();
  const { results } = await run(scene);
  return { files: recorded(scene), results };
}

/** Answers come when others are under way, too. */
const slow = (seed: number): Pretence => ({ ...LOSSES, ...delayed(seed) });

describe("several backends", () => {
  test.each([2, 3, 7])("%d give the bits of one, and results in the sequence of the config", async (jobs) => {
    const alone = await undisturbed();
    const scene = new Scene();
    const { results, clients } = await run(scene, { jobs, pretence: slow(jobs) });
    expect(recorded(scene)).toEqual(alone.files);
    expect(results).toEqual(alone.results);
    expect(clients, "none more than there are runs").toHaveLength(Math.min(jobs, 6));
    for (const client of clients) expect(client.sentOf("open").length).toBeGreaterThan(0);
  });

  test("have a run each under way, and never two", async () => {
    let underWay = 0;
    let most = 0;
    const observer = {
      runStarted: () => {
        underWay += 1;
        most = Math.max(most, underWay);
      },
      runEnded: () => {
        underWay -= 1;
      },
    };
    await run(new Scene(), { jobs: 3, observer, pretence: slow(1) });
    expect([most, underWay]).toEqual([3, 0]);
  });

  test("go on with what a command with another number of them left", async () => {
    const alone = await undisturbed();
    const scene = new Scene();
    const abort = new AbortController();
    let chunks = 0;
    const before: Pretence["before"] = ({ type }) => {
      if (type === "train" && ++chunks === 14) abort.abort();
    };
    const { error } = await run(scene, { jobs: 3, abort, pretence: { ...slow(2), before } });
    expect(error).toMatchObject({ message: expect.stringContaining("interrupted") });
    const states = scene
      .files("")
      .filter((file) => file.endsWith("run.json"))
      .map((file) => JSON.parse(scene.text(file)).state);
    expect(states.filter((state) => state === "interrupted").length).toBeGreaterThan(1);
    const again = await run(scene, { jobs: 2, pretence: slow(3) });
    expect(again.results).toEqual(alone.results);
    expect(recorded(scene)).toEqual(alone.files);
  });
});

describe("a run that fails stops no other", () => {
  test("which fails by itself", async () => {
    const before: Pretence["before"] = (message) => {
      if (message.type === "open" && message.fields.seed === 1) throw new BackendLost("it had enough");
    };
    const { results, error } = await run(new Scene(), { jobs: 2, pretence: { ...slow(4), before } });
    expect(error).toBeUndefined();
    expect(results.map(({ seed, state }) => [seed, state])).toEqual([
      ...[0, 0].map((seed) => [seed, "done"]),
      ...[1, 1].map((seed) => [seed, "failed"]),
      ...[2, 2].map((seed) => [seed, "done"]),
    ]);
  });
});

describe("a backend that cannot be had", () => {
  const missing = surroundingsError("there is no cuda:9 here");

  test("is given up in a line, and the others do all runs", async () => {
    const alone = await undisturbed();
    const noted: string[] = [];
    const scene = new Scene();
    const { results, stoppedBy, error } = await run(scene, {
      jobs: 3,
      observer: { noted: (line) => noted.push(line) },
      pretence: slow(5),
      unavailable: (job) => (job === 1 ? missing : undefined),
    });
    expect({ error, stoppedBy }).toEqual({ error: undefined, stoppedBy: undefined });
    expect(results).toEqual(alone.results);
    expect(noted).toEqual([`a backend is given up, and others do what is left: ${missing.message}`]);
  });

  test("leaves its run to one that has had nothing to do since", async () => {
    let ended = () => {};
    const othersEnd = new Promise<void>((resolve) => {
      ended = resolve;
    });
    const { results, stoppedBy, clients } = await run(new Scene(), {
      settings: ["seeds=1"],
      jobs: 2,
      observer: { runEnded: () => ended() },
      unavailable: (job) => (job === 1 ? othersEnd.then(() => missing) : undefined),
    });
    expect(stoppedBy).toBeUndefined();
    expect(results.map(({ state }) => state)).toEqual(["done", "done"]);
    expect(clients).toHaveLength(1);
  });

  test("ends the command where no other can, and nothing is recorded", async () => {
    const scene = new Scene();
    const { error } = await run(scene, { jobs: 3, unavailable: () => missing });
    expect(error).toBe(missing);
    expect(existsSync(scene.directory)).toBe(false);
  });
});

test("what no run meets alone ends all of them, which can go on", async () => {
  const alone = await undisturbed();
  const scene = new Scene();
  let chunks = 0;
  const before: Pretence["before"] = ({ type }) => {
    if (type === "train" && ++chunks === 12) throw new TypeError("a fault of ours");
  };
  const { error } = await run(scene, { jobs: 2, pretence: { ...slow(6), before } });
  expect(error).toBeInstanceOf(TypeError);
  const again = await run(scene, { jobs: 2 });
  expect(again.results).toEqual(alone.results);
  expect(recorded(scene)).toEqual(alone.files);
});

test("a run is made beside those that are under way: where equal seeds start otherwise, it is refused", async () => {
  const openedFor: Pretence["openedFor"] = ({ seed, optimizer }) => ({
    initialWeightsSha256: weightsAtStart(optimizer.name === "adam" ? seed + 100 : seed),
  });
  const settings = ["seeds=1", "arms.frozen.optimizer=adam"];
  const { results } = await run(new Scene(), { jobs: 2, settings, pretence: { ...slow(7), openedFor } });
  expect(results.map(({ state }) => state).sort()).toEqual(["done", "failed"]);
  expect(results.find(({ state }) => state === "failed")?.error).toContain("started otherwise");
});

test("the longest runs are taken first by several backends; by one, in their sequence", () => {
  const planned = [3, 9, 1, 9, 6].map(
    (epochs, number) => ({ place: { number }, config: { epochs } }) as unknown as PlannedRun,
  );
  const taken = (backends: number) => {
    const queue = new RunQueue(planned, backends);
    return planned.map(() => queue.take()?.place.number);
  };
  expect(taken(1)).toEqual([0, 1, 2, 3, 4]);
  expect(taken(2)).toEqual([1, 3, 4, 0, 2]);
});
