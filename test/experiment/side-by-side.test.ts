// Runs at several backends side by side: which takes what, what each is made beside, and how they end.
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { BackendError, BackendLost, type ErrorCode, NothingListens } from "../../src/backend/errors.js";
import { surroundingsError } from "../../src/errors.js";
import type { PlannedRun } from "../../src/experiment/plan-runs.js";
import { RunQueue } from "../../src/experiment/run-queue.js";
import { thisProcess } from "../../src/running-process.js";
import { delayed, type FakeBackend, type Pretence, weightsAtStart } from "./fake-backend.js";
import { Scene, type SceneOptions } from "./scene.js";

/** Seconds that were waited before something was tried again. */
const paused = vi.hoisted(() => [] as number[]);
vi.mock("node:timers/promises", async (original) => {
  const real = await original<typeof import("node:timers/promises")>();
  const setTimeout = async (milliseconds: number) => {
    paused.push(milliseconds / 1000);
    for (let turns = 0; turns < 20; turns++) await real.setImmediate();
  };
  return { ...real, setTimeout };
});

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
    const again = await run(scene, { pretence: slow(3) });
    expect(again.results).toEqual(alone.results);
    expect(recorded(scene)).toEqual(alone.files);
    const sideBySide = [0, 1, 2].map((seed) => scene.document("frozen", seed).sideBySide);
    expect(sideBySide, "as it was for any part of it").toContain(3);
    expect(sideBySide, "where it was trained alone").toContain(undefined);
  });
});

test("one that has no run gives back what others could use, while these still work, and all do in the end", async () => {
  const events: string[] = [];
  await run(new Scene(), {
    settings: ["seeds=1"],
    jobs: 3,
    observer: { runEnded: () => events.push("ended") },
    pretence: slow(6),
    rests: (job) => events.push(`rest ${job}`),
  });
  expect(events.indexOf("rest 2")).toBeLessThan(events.indexOf("ended"));
  expect(new Set(events)).toEqual(new Set(["ended", "rest 0", "rest 1", "rest 2"]));
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

test("a backend that did no run is none that runs were trained beside", async () => {
  const missing = surroundingsError("it does not know the key");
  const numbers = async (jobs: number) => {
    const scene = new Scene();
    await run(scene, { jobs, pretence: slow(5), unavailable: (job) => (job === 1 ? missing : undefined) });
    return new Set([0, 1, 2].map((seed) => scene.document("frozen", seed).sideBySide));
  };
  expect(await numbers(2)).toEqual(new Set([undefined]));
  expect(await numbers(3)).toEqual(new Set([2]));
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
    expect(noted).toEqual([`backend 2 is given up, and others do what is left: ${missing.message}`]);
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

describe("a backend that is lost under a run", () => {
  const gone = new BackendLost("the backend ended: signal SIGKILL");
  const OFTEN = [...SIX, "checkpoint.everyBatches=2"];

  /** Of one job: the backends die at these chunks, counted over all of them. */
  function dyingAt(...chunks: readonly number[]): Pretence {
    let seen = 0;
    const dead = new Set<FakeBackend>();
    return {
      ...slow(8),
      before({ type }, backend) {
        if (dead.has(backend)) throw gone;
        if (type !== "train" || !chunks.includes(++seen)) return;
        dead.add(backend);
        throw gone;
      },
    };
  }

  test.each([2, 3])("has its run go on at another one of %d, to the bit", async (jobs) => {
    paused.splice(0);
    const alone = await undisturbed();
    const scene = new Scene();
    const noted: string[] = [];
    const left: string[] = [];
    const started: string[] = [];
    const dying = dyingAt(6);
    const { results, clients, error, stoppedBy, givenUp } = await run(scene, {
      jobs,
      settings: OFTEN,
      isElsewhere: true,
      observer: {
        noted: (line) => noted.push(line),
        runLeft: ({ arm, seed }) => left.push(`${arm} ${seed}`),
        runStarted: ({ arm, seed }, from) => started.push(`${arm} ${seed}${from ? " goes on" : ""}`),
      },
      pretence: (job) => (job === 1 ? dying : slow(9)),
    });
    expect({ error, stoppedBy, givenUp }).toEqual({ error: undefined, stoppedBy: undefined, givenUp: [] });
    expect(results).toEqual(alone.results);
    expect(recorded(scene)).toEqual(alone.files);
    expect(left).toHaveLength(1);
    expect(started).toContain(`${left[0]} goes on`);
    expect(clients.flatMap((client) => client.sentOf("load"))).toHaveLength(1);
    expect(noted.filter((line) => line.includes("restart"))).toEqual([
      expect.stringMatching(/SIGKILL.*; restart 1 of 3$/),
    ]);
    expect(noted.filter((line) => line.includes(" goes on from step "))).toEqual([
      expect.stringMatching(/^\w+, seed \d: goes on from step \d+ at backend \d$/),
    ]);
    expect(paused, "the first try to have it back is made at once").toEqual([]);
  });

  test("which is not there again for long: it is looked for less and less often, and takes runs once it is back", async () => {
    paused.splice(0);
    const scene = new Scene();
    const logged: string[] = [];
    let isGone = false;
    let asked = 0;
    const pretence = (job: number): Pretence => ({
      ...slow(job),
      before: ({ type, fields }, backend) => {
        if (job !== 1 || type !== "train" || fields.firstStep < 4 || asked > 0) return;
        isGone = true;
        backend.fail(gone);
        throw gone;
      },
    });
    const { results, error } = await run(scene, {
      jobs: 2,
      settings: [...OFTEN, "seeds=6"],
      isElsewhere: true,
      log: (line) => logged.push(line),
      pretence,
      unavailable: (job) =>
        job === 1 && isGone && ++asked < 4 ? new NothingListens("nothing listens there") : undefined,
    });
    expect(error).toBeUndefined();
    expect(results.map(({ state }) => state)).toEqual(Array(12).fill("done"));
    expect(paused).toEqual([1, 2, 4]);
    expect(logged.filter((line) => line === "backend 2 is back")).toHaveLength(1);
  });

  test("does not hold up the end where it stays away", async () => {
    let isGone = false;
    const scene = new Scene();
    const { results, stoppedBy, givenUp } = await run(scene, {
      jobs: 2,
      settings: OFTEN,
      isElsewhere: true,
      pretence: (job) => ({
        ...slow(job),
        before: ({ type }) => {
          if (job !== 1 || type !== "train" || isGone) return;
          isGone = true;
          throw gone;
        },
      }),
      unavailable: (job) => (job === 1 && isGone ? new NothingListens("nothing listens there") : undefined),
    });
    expect(results.map(({ state }) => state)).toEqual(Array(6).fill("done"));
    expect({ stoppedBy, givenUp }).toEqual({ stoppedBy: undefined, givenUp: [] });
    expect(recorded(scene)).toEqual((await undisturbed()).files);
  });

  test("of ours, which does not start again: it is given up after three tries", async () => {
    paused.splice(0);
    let isGone = false;
    const noted: string[] = [];
    const { results, givenUp } = await run(new Scene(), {
      jobs: 2,
      settings: [...OFTEN, "seeds=9"],
      observer: { noted: (line) => noted.push(line) },
      pretence: (job) => ({
        ...slow(job),
        before: ({ type }) => {
          if (job !== 1 || type !== "train" || isGone) return;
          isGone = true;
          throw gone;
        },
      }),
      unavailable: (job) => (job === 1 && isGone ? surroundingsError("no GPU any more") : undefined),
    });
    expect(results.map(({ state }) => state)).toEqual(Array(18).fill("done"));
    expect(paused).toEqual([1, 2]);
    expect(givenUp).toEqual(["backend 2 was given up: no GPU any more"]);
    expect(noted).toContain("backend 2 is given up, and others do what is left: no GPU any more");
  });

  test("with all others: they wait as long as a start may take, then what is left fails and says why", async () => {
    paused.splice(0);
    let areGone = false;
    let chunks = 0;
    const scene = new Scene();
    const nothing = new NothingListens("nothing listens there");
    const { results, stoppedBy } = await run(scene, {
      jobs: 2,
      settings: [...OFTEN, "backend.startSeconds=5"],
      isElsewhere: true,
      pretence: () => ({
        ...slow(3),
        before: ({ type }) => {
          if (type === "train" && ++chunks > 8) areGone = true;
          if (areGone) throw gone;
        },
      }),
      unavailable: () => (areGone ? nothing : undefined),
    });
    expect(stoppedBy).toBe(nothing);
    expect(results.some(({ state }) => state === "done" || state === "failed")).toBe(true);
    expect(results.filter(({ state }) => state === "failed").length).toBeGreaterThan(3);
    expect(paused.reduce((sum, seconds) => sum + seconds, 0)).toBeGreaterThanOrEqual(5);
    const again = await run(scene, { jobs: 2, settings: OFTEN });
    expect(again.results).toEqual((await undisturbed()).results);
    expect(recorded(scene)).toEqual((await undisturbed()).files);
  });

  test("each time that a run comes to it: the run fails after its restarts, at one after another, and the others are done", async () => {
    const seeds = new WeakMap<FakeBackend, number>();
    const left: number[] = [];
    const before: Pretence["before"] = ({ type, fields }, backend) => {
      if (type === "open") seeds.set(backend, fields.seed);
      if (type === "train" && fields.firstStep >= 8 && seeds.get(backend) === 1) throw gone;
    };
    const { results, givenUp, clients } = await run(new Scene(), {
      jobs: 2,
      settings: [...OFTEN, "arms={shuffled: {order: shuffled}}", "backend.chunkBatches=2"],
      observer: { runLeft: ({ seed }) => left.push(seed) },
      pretence: (job) => ({ ...slow(job), before }),
    });
    expect(givenUp).toEqual([]);
    expect(left).toEqual([1, 1, 1]);
    expect(clients.filter((client) => client.sentOf("open").some(({ fields }) => fields.seed === 1))).toHaveLength(4);
    expect(results.map(({ seed, state }) => [seed, state])).toEqual([
      [0, "done"],
      [1, "failed"],
      [2, "done"],
    ]);
  });

  test("is interrupted while it waits for another one: it says so, and goes on", async () => {
    const scene = new Scene();
    const abort = new AbortController();
    onTestFinished(() => abort.abort());
    let isGone = false;
    const { error } = await run(scene, {
      jobs: 2,
      settings: [...OFTEN, "seeds=1"],
      isElsewhere: true,
      abort,
      pretence: (job) => ({
        ...slow(job),
        before: async ({ type, fields }) => {
          if (job === 0 && type === "train" && isGone) abort.abort();
          while (job === 0 && type === "train" && !isGone) await setImmediate();
          if (job !== 1 || type !== "train" || fields.firstStep < 4 || isGone) return;
          isGone = true;
          throw gone;
        },
      }),
      unavailable: (job) => (job === 1 && isGone ? new NothingListens("nothing listens there") : undefined),
    });
    expect(error).toMatchObject({ message: "interrupted" });
    expect(["frozen", "shuffled"].map((arm) => scene.document(arm, 0).state)).toEqual(["interrupted", "interrupted"]);
    const again = await run(scene, { settings: [...OFTEN, "seeds=1"] });
    expect(again.results.map(({ state }) => state)).toEqual(["done", "done"]);
    expect(again.clients[0].sentOf("load").length).toBeGreaterThan(0);
  });
});

describe("a backend with reasons of its own", () => {
  const noRoom = new BackendError("out_of_memory", "5 samples at a time do not fit");

  test("no memory: its runs are done by others, and after three in a row it is given up", async () => {
    const alone = await undisturbed();
    const scene = new Scene();
    const noted: string[] = [];
    const { results, givenUp, clients } = await run(scene, {
      jobs: 2,
      observer: { noted: (line) => noted.push(line) },
      pretence: (job) => ({
        ...slow(job),
        before: ({ type }) => {
          if (job === 1 && type === "train") throw noRoom;
        },
      }),
    });
    expect(results).toEqual(alone.results);
    expect(recorded(scene)).toEqual(alone.files);
    expect(clients[1].sentOf("open")).toHaveLength(3);
    expect(givenUp).toEqual([
      expect.stringMatching(/^backend 2 was given up: 3 runs in a row did not get on there \(the last/),
    ]);
    const left = /^shuffled, seed 0: left to others than backend 2: in epoch 1: 5 samples at a time do not fit$/;
    expect(noted).toContainEqual(expect.stringMatching(left));
    expect(noted, "where it goes, it begins for the first time").not.toContainEqual(
      expect.stringMatching(/begins anew/),
    );
    expect(noted.at(-1)).toMatch(/^backend 2 is given up, and others do what is left: 3 runs in a row/);
  });

  test("no memory anywhere for one arm: that is the arm's, each run of it was tried by all, and nobody is given up", async () => {
    const { results, givenUp, stoppedBy } = await run(new Scene(), {
      jobs: 3,
      settings: [...SIX, "arms.shuffled.batching={name: constant, size: 8}"],
      pretence: (job) => ({
        ...slow(job),
        before: ({ type, arrays }) => {
          if (type === "train" && arrays.offsets[1] === 8) throw noRoom;
        },
      }),
    });
    expect(results.map(({ arm, state }) => `${arm} ${state}`)).toEqual(
      [0, 1, 2].flatMap(() => ["frozen done", "shuffled failed"]),
    );
    expect({ givenUp, stoppedBy }).toEqual({ givenUp: [], stoppedBy: undefined });
  });

  /** Three runs without room that come last of all, beside a long one. */
  const BIG_LAST = [
    ...["seeds=3", "arms.frozen.epochs=30", "arms.shuffled.batching={name: constant, size: 8}"],
    "arms.third={order: shuffled, epochs: 2}",
  ];
  const withoutRoom =
    (isHere: (job: number) => boolean) =>
    (job: number): Pretence => ({
      ...slow(job),
      before: ({ type, arrays }) => {
        if (type === "train" && arrays.offsets[1] === 8 && isHere(job)) throw noRoom;
      },
    });

  test("no memory anywhere for three runs in a row, while the other one is busy for long: nobody stays given up", async () => {
    const noted: string[] = [];
    const { results, givenUp, stoppedBy, clients } = await run(new Scene(), {
      jobs: 2,
      settings: BIG_LAST,
      observer: { noted: (line) => noted.push(line) },
      pretence: withoutRoom(() => true),
    });
    expect(results.map(({ arm, state }) => `${arm} ${state}`)).toEqual(
      [0, 1, 2].flatMap(() => ["frozen done", "shuffled failed", "third done"]),
    );
    expect({ givenUp, stoppedBy }).toEqual({ givenUp: [], stoppedBy: undefined });
    const trained = clients.map((client) => client.trails.length);
    expect(Math.min(...trained.slice(0, 2)), "both went on with what there is room for").toBeGreaterThan(1);
    expect(noted.filter((line) => line.includes("given up")).length).toBe(
      noted.filter((line) => line.includes("takes runs again")).length,
    );
  });

  test("given up for three runs without room, and no other could do them: it is taken back", async () => {
    let end = () => {};
    const isGivenUp = new Promise<void>((resolve) => {
      end = resolve;
    });
    const noted: string[] = [];
    const { results, givenUp, clients } = await run(new Scene(), {
      jobs: 2,
      settings: [
        ...["seeds=1", "arms={long: {order: shuffled, epochs: 9}, last: {order: shuffled, epochs: 1}}"],
        ...[1, 2, 3].map((size) => `arms.big${size}={order: frozen, batching: {name: constant, size: ${size + 8}}}`),
      ],
      observer: {
        noted: (line) => {
          noted.push(line);
          if (line.includes("is given up")) end();
        },
      },
      pretence: (job) => ({
        ...slow(job),
        before: async ({ type, arrays, fields }) => {
          if (type === "train" && arrays.offsets[1] > 8) throw noRoom;
          if (job === 0 && type === "train" && fields.firstStep >= 4) await isGivenUp;
        },
      }),
    });
    expect(results.map(({ arm, state }) => `${arm} ${state}`)).toEqual([
      ...["long done", "last done", "big1 failed", "big2 failed", "big3 failed"],
    ]);
    expect(givenUp).toEqual([]);
    expect(noted).toContainEqual(expect.stringMatching(/^backend 2 is given up, and others do what is left: 3 runs/));
    expect(noted).toContain("backend 2 takes runs again: no other one could do what it could not");
    expect(clients, "another one in its place").toHaveLength(3);
  });

  test("no memory for the one biggest arm: it does the others", async () => {
    const trainedThere = new Set<string>();
    const { results, givenUp } = await run(new Scene(), {
      jobs: 2,
      settings: [
        "seeds=4",
        "arms={big: {order: shuffled, epochs: 9, batching: {name: constant, size: 8}}, small: {order: frozen}}",
      ],
      pretence: (job) => ({
        ...withoutRoom((at) => at === 1)(job),
        delivers: async ({ type, fields }) => {
          if (job === 1 && type === "train") trainedThere.add(fields.session);
        },
      }),
    });
    expect(results.map(({ state }) => state)).toEqual(Array(8).fill("done"));
    expect(trainedThere.size, "of the small ones").toBeGreaterThan(1);
    expect(givenUp.length, "at the end, at most, where none but big ones wait").toBeLessThan(2);
  });

  test.each(["data_missing", "module_missing", "not_allowed", "no_shared_memory"] as const)(
    "%s there: others do all",
    async (code) => {
      const { results, givenUp } = await run(new Scene(), {
        jobs: 2,
        pretence: (job) => ({
          ...slow(job),
          before: ({ type }) => {
            if (job === 0 && type === "open") throw new BackendError(code, "not here");
          },
        }),
      });
      expect(results.map(({ state }) => state)).toEqual(Array(6).fill("done"));
      expect(givenUp).toHaveLength(1);
    },
  );

  /** With a model of the user's, arms are tried before the first run. */
  const OWN_MODEL = [...SIX, "model={reference: 'team.models:Net', args: {}}"];
  const lacking =
    (code: ErrorCode, where: (job: number) => boolean) =>
    (job: number): Pretence => ({
      ...slow(job),
      before: ({ type }) => {
        if (where(job) && type === "open") throw new BackendError(code, "not here");
      },
    });

  test.each([
    [0, "not_allowed"],
    [0, "data_missing"],
    [0, "module_missing"],
    [0, "session_busy"],
    [1, "not_allowed"],
  ] as const)(
    "backend %d has %s for a model of the user's: the other one tries it, and does all",
    async (bad, code) => {
      const { results, error } = await run(new Scene(), {
        jobs: 2,
        settings: OWN_MODEL,
        pretence: lacking(code, (job) => job === bad),
      });
      expect(error).toBeUndefined();
      expect(results.map(({ state }) => state)).toEqual(Array(6).fill("done"));
    },
  );

  test("all refuse a model of the user's: that is the arm's, as with one", async () => {
    const scene = new Scene();
    const settings = OWN_MODEL;
    const { error } = await run(scene, { jobs: 2, settings, pretence: lacking("not_allowed", () => true) });
    expect(error).toMatchObject({ kind: "usage", message: "arm frozen: not here" });
    expect(existsSync(`${scene.directory}/frozen`)).toBe(false);
  });

  test("the first one is gone when arms are tried: the other one tries them, and does all", async () => {
    const { results, error } = await run(new Scene(), {
      jobs: 2,
      settings: OWN_MODEL,
      isElsewhere: true,
      unavailable: (job) => (job === 0 ? new NothingListens("nothing listens there") : undefined),
    });
    expect(error).toBeUndefined();
    expect(results.map(({ state }) => state)).toEqual(Array(6).fill("done"));
  });

  describe("once a run was refused, and the other arms are tried at its backend", () => {
    /** One arm's optimiser is refused; its run comes first. */
    const REFUSED = [
      ...["seeds=2", "arms={bad: {order: shuffled, epochs: 9, optimizer: adam}, one: {order: frozen}}"],
      "arms.two={order: shuffled, batching: {name: constant, size: 4}}",
    ];
    const refusing: Pretence["before"] = ({ type, fields }) => {
      if (type === "open" && fields.optimizer.name === "adam") throw new BackendError("bad_option", "no such option");
    };

    test("what that one lacks is not the arms' own", async () => {
      const { results } = await run(new Scene(), {
        jobs: 2,
        settings: REFUSED,
        pretence: (job) => ({
          ...slow(job),
          before: (message, backend) => {
            if (job === 0 && message.type === "open" && message.fields.optimizer.name !== "adam")
              throw new BackendError("not_allowed", "not here");
            return refusing(message, backend);
          },
        }),
      });
      const states = results.map(({ arm, state }) => `${arm} ${state}`);
      expect(states.slice(0, 3)).toEqual(["bad failed", "one done", "two done"]);
    });

    test("one that is gone meanwhile does not end the command", async () => {
      let isGone = false;
      const { results, error } = await run(new Scene(), {
        jobs: 2,
        settings: REFUSED,
        isElsewhere: true,
        unavailable: (job) => (job === 0 && isGone ? new NothingListens("nothing listens there") : undefined),
        pretence: (job) => ({
          ...slow(job),
          before: (message, backend) => {
            if (job === 0 && message.type === "open") isGone = true;
            return refusing(message, backend);
          },
        }),
      });
      expect(error).toBeUndefined();
      expect(results.map(({ state }) => state).sort()).toEqual([...Array(4).fill("done"), ...Array(2).fill("failed")]);
    });
  });

  test.each(["data_missing", "not_allowed"] as const)("%s anywhere: as with one", async (code) => {
    const scene = new Scene();
    const before: Pretence["before"] = ({ type }) => {
      if (type === "open") throw new BackendError(code, "not here");
    };
    const { error } = await run(scene, { jobs: 2, pretence: { before } });
    expect(error).toMatchObject({ message: expect.stringContaining("not here") });
    expect(existsSync(`${scene.directory}/frozen`)).toBe(false);
  });

  test("another controller is at work there: it is looked at again, and takes runs when it is free", async () => {
    let busy = 3;
    const { results, givenUp, clients } = await run(new Scene(), {
      jobs: 2,
      settings: [...SIX, "seeds=9"],
      isElsewhere: true,
      pretence: (job) => ({
        ...slow(job),
        before: ({ type }) => {
          if (job === 1 && type === "open" && busy-- > 0) throw new BackendError("session_busy", "another session");
        },
      }),
    });
    expect(results.map(({ state }) => state)).toEqual(Array(18).fill("done"));
    expect(givenUp).toEqual([]);
    expect(clients.at(-1)?.sentOf("train").length).toBeGreaterThan(0);
  });

  test("other controllers are at work at all of them, for as long as one may take to start: the command ends", async () => {
    const { error, clients } = await run(new Scene(), {
      jobs: 2,
      settings: [...SIX, "backend.startSeconds=1"],
      isElsewhere: true,
      pretence: (job) => ({
        ...slow(job),
        before: ({ type }) => {
          if (type === "open") throw new BackendError("session_busy", "another session");
        },
      }),
    });
    expect(error).toMatchObject({ message: expect.stringContaining("another session") });
    const opens = clients.flatMap((client) => client.sentOf("open"));
    expect(opens.length, "they were looked at again").toBeGreaterThan(2);
    expect(opens.length).toBeLessThan(50);
  });

  test.each([
    [
      "by its device",
      { introduction: { deviceName: "another" } },
      /would give other bits than the other runs here \(device name/,
    ],
    ["by its threads", { introduction: { threads: 4 } }, /threads 1, now 4/],
    ["by its data", { opened: { dataSha256: "e".repeat(64) } }, /was trained on other data/],
  ])("is otherwise than the first one, %s: it takes no run, and says why", async (_how, pretence, why) => {
    const alone = await undisturbed();
    const scene = new Scene();
    const { results, givenUp } = await run(scene, {
      jobs: 2,
      pretence: (job) => {
        const later: Pretence["before"] = async ({ type }) => {
          if (type === "open") for (let turns = 0; turns < 50; turns++) await setImmediate();
        };
        return job === 1 ? { ...slow(job), ...pretence, before: later } : slow(job);
      },
    });
    expect(results).toEqual(alone.results);
    expect(recorded(scene)).toEqual(alone.files);
    expect(givenUp).toEqual([expect.stringMatching(why)]);
  });

  test("is otherwise than the first one, which can do none: the others do all", async () => {
    const { results, givenUp } = await run(new Scene(), {
      jobs: 3,
      pretence: (job) => ({
        ...slow(job),
        ...(job === 0 && { introduction: { deviceName: "another" } }),
        before: ({ type }) => {
          if (job === 0 && type === "open") throw new BackendError("data_missing", "no data here");
        },
      }),
    });
    expect(results.map(({ state }) => state)).toEqual(Array(6).fill("done"));
    expect(givenUp.filter((line) => !line.startsWith("backend 1 "))).toEqual([]);
  });

  test("is otherwise, and the ones that fit are lost: the run does not move there, and says why it is not done", async () => {
    let isGone = false;
    const { results, stoppedBy, givenUp } = await run(new Scene(), {
      jobs: 2,
      settings: [...SIX, "seeds=1", "backend.startSeconds=1"],
      isElsewhere: true,
      pretence: (job) => ({
        ...slow(job),
        ...(job === 1 && { introduction: { deviceName: "another" } }),
        before: ({ type, fields }) => {
          if (type !== "train" || fields.firstStep < 4) return;
          isGone = true;
          throw new BackendLost("the backend is gone");
        },
      }),
      unavailable: (job) => (job === 0 && isGone ? new NothingListens("nothing listens there") : undefined),
    });
    expect(givenUp).toEqual([expect.stringMatching(/^backend 2 was given up: .*device name pretence, now another/)]);
    expect(stoppedBy).toBeInstanceOf(NothingListens);
    expect(results.map(({ state }) => state)).toEqual(["failed", "failed"]);
  });
});

test("where no arm fits, all wait for what one of them tries: the command ends, and nothing is recorded", async () => {
  const scene = new Scene();
  const before: Pretence["before"] = ({ type }) => {
    if (type === "open") throw new BackendError("bad_option", "there is no such option");
  };
  const { error, results } = await run(scene, { jobs: 2, pretence: { ...slow(4), before } });
  expect(error).toMatchObject({ kind: "usage", message: "arm frozen: there is no such option" });
  expect(results).toEqual([]);
  expect(existsSync(`${scene.directory}/frozen`) || existsSync(`${scene.directory}/shuffled`)).toBe(false);
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

test("another command is stopped in the middle of its writes: the run that is to begin waits, the others go on, and all are done", async () => {
  const settings = ["seeds=1", "arms.frozen.epochs=9", "arms.last={order: shuffled, epochs: 1}"]; // the last while the first trains
  const alone = new Scene();
  const { results: all } = await run(alone, { settings });
  const scene = new Scene();
  const lock = join(scene.directory, "lock");
  const holder = {
    ...thisProcess(),
    pid: process.ppid,
    startTicks: undefined,
    host: hostname(),
    beats: true,
    brief: true,
  };
  const noted: string[] = [];
  let opened = 0;
  let waits = false;
  const { results, error } = await run(scene, {
    jobs: 2,
    settings,
    observer: {
      noted: (line) => {
        noted.push(line);
        waits ||= line.includes("waits to begin");
      },
    },
    pretence: (job) => ({
      ...slow(job),
      before: ({ type }) => {
        if (type === "open" && ++opened === 3) writeFileSync(lock, JSON.stringify(holder));
        if (type === "train" && waits) rmSync(lock, { force: true }); // by this alone it ends: the other run goes on
      },
    }),
  });
  expect(error).toBeUndefined();
  expect(results).toEqual(all);
  expect(recorded(scene)).toEqual(recorded(alone));
  expect(noted).toEqual([
    expect.stringMatching(/seed \d: waits to begin: .* is in use by process \d+ on .*: wait until it ends/),
  ]);
  expect(existsSync(lock)).toBe(false);
});
