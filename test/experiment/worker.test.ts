// A backend of a pool that is not there: whether it is waited for, how it is tried again, and when that is enough.
import { setImmediate } from "node:timers/promises";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { BackendError, BackendLost } from "../../src/backend/errors.js";
import { IbatchError, Interrupted, surroundingsError, usageError } from "../../src/errors.js";
import { audienceOf } from "../../src/experiment/observer.js";
import { PoolStandard } from "../../src/experiment/pool-standard.js";
import { Worker } from "../../src/experiment/worker.js";
import { FakeBackend } from "./fake-backend.js";

/** Seconds that were waited before something was tried again; each pause ends by itself, unless it is held. */
const pauses = vi.hoisted(() => ({ seconds: [] as number[], held: false }));
vi.mock("node:timers/promises", async (original) => {
  const real = await original<typeof import("node:timers/promises")>();
  const setTimeout = (milliseconds: number, _value: undefined, { signal }: { signal: AbortSignal }) => {
    pauses.seconds.push(milliseconds / 1000);
    if (!pauses.held) return real.setImmediate();
    return new Promise((_, reject) => signal.addEventListener("abort", () => reject(new Error("ended early"))));
  };
  return { ...real, setTimeout };
});
beforeEach(() => {
  pauses.seconds.splice(0);
  pauses.held = false;
});

/** A worker beside others; `answers`: why it is not there, one try after another, then it is. */
function workerOf(answers: readonly (Error | undefined)[], { isElsewhere = true, startSeconds = 1000 } = {}) {
  const listening = new Set<() => void>();
  const others = {
    hasOthers: true,
    underWay: 1,
    whenChanged: (act: () => void) => {
      listening.add(act);
      return () => void listening.delete(act);
    },
  };
  const over = new AbortController();
  const abort = new AbortController();
  const lines: string[] = [];
  const logged: string[] = [];
  let tries = 0;
  let hasBegun = true;
  const backends = {
    name: "backend 2",
    isElsewhere,
    get: async () => {
      const why = answers[tries++];
      if (why !== undefined) throw why;
      return new FakeBackend();
    },
    discard: async () => {},
  };
  const worker = new Worker(backends, {
    experiment: {
      audience: audienceOf({ noted: (line) => lines.push(line) }, (line) => logged.push(line)),
      signal: abort.signal,
      config: { backend: { startSeconds } },
    },
    standard: new PoolStandard({ values: () => [] }),
    others,
    over: over.signal,
    hasBegun: () => hasBegun,
  });
  return {
    ...{ worker, others, over, abort, lines, logged },
    tell: () => {
      for (const act of [...listening]) act();
    },
    listening,
    nothingBegan: () => {
      hasBegun = false;
    },
    get tries() {
      return tries;
    },
  };
}

const away = surroundingsError("nothing listens there");
const times = (count: number, error: Error = away) => Array.from({ length: count }, () => error);

describe("whether it is there", () => {
  test("it is", async () => {
    expect(await workerOf([]).worker.absence()).toBeUndefined();
  });

  test("it is not, for reasons of its surroundings: away", async () => {
    expect(await workerOf([away]).worker.absence()).toEqual({ why: "away", error: away });
  });

  test.each([new BackendLost("it died while it was greeted"), new BackendError("bad_message", "that is no greeting")])(
    "it does not end the command by how it is greeted: %s",
    async (error) => {
      expect(await workerOf([error]).worker.absence()).toEqual({ why: "away", error });
    },
  );

  test("it is none that may be used: unfit, where runs have begun; else that ends the command", async () => {
    const wrong = usageError("both lead to one backend");
    expect(await workerOf([wrong]).worker.absence()).toEqual({ why: "unfit", error: wrong });
    const early = workerOf([wrong]);
    early.nothingBegan();
    await expect(early.worker.absence()).rejects.toBe(wrong);
  });

  test("an interruption is one", async () => {
    await expect(workerOf([new Interrupted()]).worker.absence()).rejects.toBeInstanceOf(Interrupted);
  });
});

describe("one that is away", () => {
  test("is waited for where somebody else starts it, and told", () => {
    const { worker, lines } = workerOf([]);
    expect(worker.isWaitedFor(away)).toBe(true);
    expect(lines).toEqual([expect.stringMatching(/^backend 2 cannot be had now.*: nothing listens there$/)]);
  });

  test("of ours is waited for only where it was there before", async () => {
    const { worker, lines } = workerOf([], { isElsewhere: false });
    expect(worker.isWaitedFor(away)).toBe(false);
    expect(lines).toEqual([]);
    await worker.absence();
    expect(worker.isWaitedFor(away)).toBe(true);
  });
});

describe("to have it back", () => {
  test("it is tried less and less often, at most once a minute, for as long as others work", async () => {
    const { worker, lines } = workerOf(times(9));
    expect(await worker.recover()).toBeUndefined();
    expect(pauses.seconds).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60]);
    expect(lines).toEqual(["backend 2 is back"]);
  });

  test("one of ours is tried three times", async () => {
    const { worker } = workerOf(times(9), { isElsewhere: false });
    expect(await worker.recover()).toBe(away);
    expect(pauses.seconds).toEqual([1, 2]);
  });

  test("while nothing is trained, it is tried for as long as a start may take", async () => {
    const { worker, others } = workerOf(times(20), { startSeconds: 5 });
    others.underWay = 0;
    expect(await worker.recover()).toBe(away);
    expect(pauses.seconds).toEqual([1, 2, 4]);
  });

  test("what was waited before counts, until a run of its own ended", async () => {
    const scene = workerOf([away, away, undefined, ...times(9)], { startSeconds: 5 });
    scene.others.underWay = 0;
    expect(await scene.worker.recover()).toBeUndefined();
    expect(await scene.worker.recover()).toBe(away);
    expect(pauses.seconds).toEqual([1, 2, 1, 2]);
    const other = workerOf([away, away, undefined, ...times(9)], { startSeconds: 5 });
    other.others.underWay = 0;
    expect(await other.worker.recover()).toBeUndefined();
    other.worker.ended();
    pauses.seconds.splice(0);
    expect(await other.worker.recover()).toBe(away);
    expect(pauses.seconds).toEqual([1, 2, 4]);
  });

  test("one that is there and cannot be used is given up for what it was left for", async () => {
    const busy = new IbatchError("surroundings", "another session");
    const { worker, others } = workerOf([], { startSeconds: 0 });
    others.underWay = 0;
    worker.left({ why: "away", error: busy });
    expect(await worker.recover()).toBe(busy);
  });

  test("nothing is tried once others are gone, or no run is left", async () => {
    const alone = workerOf(times(9));
    alone.others.hasOthers = false;
    expect(await alone.worker.recover()).toBeUndefined();
    const ended = workerOf(times(9));
    ended.over.abort();
    expect(await ended.worker.recover()).toBeUndefined();
    expect([alone.tries, ended.tries]).toEqual([0, 0]);
  });

  test("a pause ends when the others leave, and it is the last one to do what is left", async () => {
    pauses.held = true;
    const scene = workerOf(times(9));
    const recovering = scene.worker.recover();
    while (pauses.seconds.length === 0) await setImmediate();
    scene.tell(); // another thing changed
    await setImmediate();
    expect(scene.tries).toBe(1);
    scene.others.hasOthers = false;
    scene.tell();
    expect(await recovering).toBeUndefined();
    expect(scene.listening.size).toBe(0);
  });

  test("a pause ends with the last run, and with the command", async () => {
    pauses.held = true;
    const ended = workerOf(times(9));
    const recovering = ended.worker.recover();
    while (pauses.seconds.length === 0) await setImmediate();
    ended.over.abort();
    expect(await recovering).toBeUndefined();
    const stopped = workerOf(times(9));
    const stopping = stopped.worker.recover();
    while (pauses.seconds.length === 1) await setImmediate();
    stopped.abort.abort();
    await expect(stopping).rejects.toBeInstanceOf(Interrupted);
  });
});
