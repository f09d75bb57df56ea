import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { BackendClient, type Stall } from "../../src/backend/client.js";
import { BackendError, BackendLost } from "../../src/backend/errors.js";
import { Interrupted, surroundingsError } from "../../src/errors.js";
import { FakeBackend } from "./fake-backend.js";

const stopping = new AbortController();
const options = { heartbeat: { everySeconds: 1, limitSeconds: 30 }, startSeconds: 10, signal: stopping.signal };
let fake: FakeBackend;
let client: BackendClient | undefined;

beforeEach(async () => {
  fake = await FakeBackend.start();
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval", "Date"] });
});

afterEach(() => {
  vi.useRealTimers();
  client?.close();
  client = undefined;
  fake.stop();
});

async function connect(stall?: Stall): Promise<BackendClient> {
  const connected = BackendClient.connect(fake.control.endpoint, { ...options, ...(stall && { stall }) });
  await fake.greet();
  client = await connected;
  return client;
}

const IDLE = { state: "idle", sessionOpen: false, step: 0, secondsSinceProgress: 0, peakBytes: 0 } as const;

/** A request that waits until the backend is given up, or an answer comes. */
const close = (of: BackendClient) => of.work("close", { session: "s" }, {});

describe("connecting", () => {
  test("greets, and works at the endpoint that the answer names", async () => {
    const connected = await connect();
    expect(connected.introduction.workEndpoint).toBe(fake.work.endpoint);
    const closed = close(connected);
    await (await fake.work.next()).answer("close_ok", {});
    await expect(closed).resolves.toEqual({ fields: {}, arrays: {} });
  });

  test("silence is given up after startSeconds", async () => {
    const connected = BackendClient.connect(fake.control.endpoint, options);
    const refused = expect(connected).rejects.toThrow(
      surroundingsError(`no answer from ${fake.control.endpoint} in 10 s: is a backend there?`),
    );
    vi.advanceTimersByTime(10_000);
    await refused;
  });

  test("a backend of another version is refused with what it says", async () => {
    const connected = BackendClient.connect(fake.control.endpoint, options);
    const refused = expect(connected).rejects.toMatchObject({ constructor: BackendError, code: "bad_version" });
    const hello = await fake.control.next();
    await hello.answer("error", { code: "bad_version", message: "this backend speaks version 2", details: {} });
    await refused;
    expect(vi.getTimerCount()).toBe(0);
  });

  test("is interrupted by the signal, before and while it waits", async () => {
    const signal = AbortSignal.abort();
    await expect(BackendClient.connect(fake.control.endpoint, { ...options, signal })).rejects.toThrow(Interrupted);
    const user = new AbortController();
    const connected = BackendClient.connect(fake.control.endpoint, { ...options, signal: user.signal });
    const refused = expect(connected).rejects.toThrow(Interrupted);
    await fake.control.next();
    user.abort();
    await refused;
    expect(vi.getTimerCount()).toBe(0);
  });

  test("is given up with the reason once it is hopeless", async () => {
    const why = surroundingsError("it died");
    const hopeless = Promise.resolve(why);
    await expect(BackendClient.connect(fake.control.endpoint, { ...options, hopeless })).rejects.toBe(why);
  });

  test("does not heed afterwards that it was hopeless", async () => {
    const why = surroundingsError("it died");
    let die = (_: Error) => {};
    const later = new Promise<Error>((resolve) => {
      die = resolve;
    });
    const connected = BackendClient.connect(fake.control.endpoint, { ...options, hopeless: later });
    await fake.greet();
    client = await connected;
    die(why);
    const status = client.control("status", { session: null });
    await (await fake.control.next()).answer("status_ok", IDLE);
    await expect(status).resolves.toBeDefined();
  });
});

describe("the heartbeat", () => {
  test("asks once a tick while it is answered, naming the session to keep", async () => {
    const connected = await connect();
    const seen: (string | null)[] = [];
    for (const session of [null, "s", "s", null]) {
      connected.keepAlive(session);
      vi.advanceTimersByTime(1000);
      const ping = await fake.control.next();
      seen.push((ping.message.fields as { session: string | null }).session);
      await ping.answer("ping_ok", { instance: "one" });
      await answered(connected);
    }
    expect(seen).toEqual([null, "s", "s", null]);
  });

  /** Waits until all that the backend sent before has been read: it answers in order. */
  async function answered(connected: BackendClient): Promise<void> {
    const status = connected.control("status", { session: null });
    const asked = await fake.control.next();
    await asked.answer("status_ok", IDLE);
    await status;
  }

  test("gives the backend up after limitSeconds of silence, and no tick earlier", async () => {
    const connected = await connect();
    let outcome: unknown;
    const waiting = close(connected).catch((error: unknown) => {
      outcome = error;
    });
    await fake.work.next();
    vi.advanceTimersByTime(1000); // the first ping
    vi.advanceTimersByTime(29_000);
    await fake.control.next();
    expect(outcome).toBeUndefined();
    vi.advanceTimersByTime(1000);
    await waiting;
    expect(outcome).toEqual(new BackendLost("the backend was silent for 30 s"));
    await expect(close(connected)).rejects.toThrow("silent");
    await expect(connected.control("status", { session: null })).rejects.toThrow("silent");
    expect(vi.getTimerCount()).toBe(0);
  });

  test("an answer, however late, begins the count anew", async () => {
    const connected = await connect();
    vi.advanceTimersByTime(30_000); // a ping and 29 silent ticks
    await (await fake.control.next()).answer("ping_ok", { instance: "one" });
    await answered(connected);
    vi.advanceTimersByTime(30_000);
    const closed = close(connected);
    await (await fake.work.next()).answer("close_ok", {});
    await expect(closed).resolves.toBeDefined();
  });

  test("counts ticks, not the clock: a sleep of hours gives nobody up", async () => {
    const connected = await connect();
    vi.advanceTimersByTime(2000); // a ping is out
    vi.setSystemTime(Date.now() + 8 * 3600 * 1000);
    vi.advanceTimersByTime(1000);
    const closed = close(connected);
    await (await fake.work.next()).answer("close_ok", {});
    await expect(closed).resolves.toBeDefined();
  });

  describe("when work waits", () => {
    /** The next tick, at which control answers both questions, the state so. */
    async function tick(state: "idle" | "working", secondsSinceProgress = 0): Promise<void> {
      vi.advanceTimersByTime(1000);
      const [ping, status] = [await fake.control.next(), await fake.control.next()];
      expect([ping.message.type, status.message.type]).toEqual(["ping", "status"]);
      await ping.answer("ping_ok", { instance: "one" });
      await status.answer("status_ok", { ...IDLE, state, secondsSinceProgress });
    }

    async function ticks(connected: BackendClient, count: number, state: "idle" | "working"): Promise<void> {
      for (let at = 0; at < count; at++) {
        await tick(state);
        await answered(connected);
      }
    }

    const outcomeOf = (work: Promise<unknown>) => {
      const seen: { error?: unknown } = {};
      work.catch((error: unknown) => {
        seen.error = error;
      });
      return seen;
    };

    test("a backend that idles for limitSeconds is not reached at its work endpoint, and is given up", async () => {
      const connected = await connect();
      const waiting = close(connected);
      const seen = outcomeOf(waiting);
      await ticks(connected, 29, "idle");
      expect(seen.error).toBeUndefined();
      await tick("idle");
      await expect(waiting).rejects.toEqual(
        new BackendLost(
          `the backend answers at ${fake.control.endpoint}, but in 30 s nothing reached its work endpoint ` +
            `${fake.work.endpoint}: a tunnel or container must pass on both, each under its own number`,
        ),
      );
      expect(vi.getTimerCount()).toBe(0);
    });

    test("one whose answers were all of another session is given up for these", async () => {
      const connected = await connect();
      const waiting = connected.work("save", { session: "s", step: 4, part: 0 }, {});
      const seen = outcomeOf(waiting);
      const other = { session: "t", step: 4, part: 0, parts: 1, sha256: "0".repeat(64), totalBytes: 1, notices: [] };
      await (await fake.work.next()).answer("save_ok", other, { bytes: Uint8Array.of(1) });
      await ticks(connected, 29, "idle");
      expect(seen.error).toBeUndefined();
      await tick("idle");
      await expect(waiting).rejects.toEqual(
        new BackendLost(
          `the backend at ${fake.control.endpoint} has nothing to do, and work was not answered in 30 s: 1 answer came, and was ` +
            `of another session or step than was asked for; see what passes ${fake.work.endpoint} on and mixes messages up`,
        ),
      );
    });

    describe("and the backend works", () => {
      /** A client with this limit, its work under way, and what it was given up with. */
      async function working(seconds: number | null) {
        const givenUp: Error[] = [];
        const connected = await connect({ seconds, giveUp: (error) => void givenUp.push(error) });
        const waiting = outcomeOf(close(connected));
        /** Ticks with these seconds since the last progress. */
        const ticks = async (...since: number[]) => {
          for (const one of since) {
            await tick("working", one);
            await answered(connected);
          }
        };
        return { ticks, givenUp, waiting };
      }

      test("without progress for as long as it may: it is given up, with for how long", async () => {
        const { ticks, givenUp, waiting } = await working(3);
        await ticks(1, 2, 2.9);
        expect(givenUp).toEqual([]);
        await ticks(3.9).catch(() => {});
        expect(givenUp).toEqual([new BackendLost("the backend made no progress for 3 s (backend.stallSeconds)")]);
        expect(waiting.error).toBeUndefined(); // who gives up says when
      });

      test("with a batch now and then, it is waited for", async () => {
        const { ticks, givenUp } = await working(3);
        await ticks(1, 2, 2.9, 0.5, 1.5, 2.5, 0.1);
        expect(givenUp).toEqual([]);
      });

      test("its clock alone gives nobody up: it may have slept while we did", async () => {
        const { ticks, givenUp } = await working(3);
        await ticks(1, 8 * 3600);
        expect(givenUp).toEqual([]);
      });

      test("null is no limit", async () => {
        const { ticks, givenUp } = await working(null);
        await ticks(1e5, 2e5, 3e5, 4e5, 5e5);
        expect(givenUp).toEqual([]);
      });
    });

    test("one that works is waited for, and one that answers between two ticks does work", async () => {
      const connected = await connect();
      const waiting = close(connected);
      const seen = outcomeOf(waiting);
      await ticks(connected, 29, "idle");
      await ticks(connected, 1, "working");
      await ticks(connected, 29, "idle");
      await (await fake.work.next()).answer("close_ok", {});
      await waiting;
      const next = outcomeOf(close(connected));
      vi.advanceTimersByTime(1000);
      await (await fake.control.next()).answer("ping_ok", { instance: "one" }); // an answer came: no question
      await answered(connected);
      await ticks(connected, 29, "idle");
      expect([seen.error, next.error]).toEqual([undefined, undefined]);
    });
  });

  test("stops with close", async () => {
    const connected = await connect();
    connected.close();
    expect(vi.getTimerCount()).toBe(0);
    await expect(close(connected)).rejects.toThrow("closed");
  });
});

test("giving up rejects what waits on both sockets with the same error", async () => {
  const connected = await connect();
  const waiting = [close(connected), connected.control("shutdown", { session: null })];
  const lost = new BackendLost("the backend ended: signal SIGKILL");
  connected.fail(lost);
  for (const refused of waiting) await expect(refused).rejects.toBe(lost);
});
