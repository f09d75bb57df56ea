import { getEventListeners } from "node:events";
import { expect, test } from "vitest";
import { Interrupted, unlessInterrupted } from "../src/errors.js";
import { earliest, whenAborted } from "../src/when-aborted.js";

const listenersOf = (signal: AbortSignal) => getEventListeners(signal, "abort").length;

test("however many are to be told, the signal has one listener; who has forgotten is not told", () => {
  const { signal, abort } = controlled();
  const told: number[] = [];
  const forgetting = Array.from({ length: 40 }, (_, at) => whenAborted(signal, () => told.push(at)));
  for (const forget of forgetting.slice(2)) forget();
  expect(listenersOf(signal)).toBe(1);
  abort();
  expect(told).toEqual([0, 1]);
  whenAborted(signal, () => told.push(99));
  expect(told, "at once, of a signal that has aborted").toEqual([0, 1, 99]);
});

test("where all have forgotten, nothing listens", () => {
  const { signal } = controlled();
  for (let round = 0; round < 2; round++) {
    const forgetting = [whenAborted(signal, () => {}), whenAborted(signal, () => {})];
    expect(listenersOf(signal)).toBe(1);
    for (const forget of forgetting) forget();
    expect(listenersOf(signal)).toBe(0);
  }
});

test("who forgets twice takes nothing from who has listened since", () => {
  const { signal, abort } = controlled();
  const forget = whenAborted(signal, () => {});
  forget();
  const told: string[] = [];
  whenAborted(signal, () => told.push("first"));
  forget();
  whenAborted(signal, () => told.push("second"));
  expect(listenersOf(signal)).toBe(1);
  abort();
  expect(told).toEqual(["first", "second"]);
});

test("so it is of all that is waited for at once, and all of it is interrupted", async () => {
  const { signal, abort } = controlled();
  const never = new Promise<never>(() => {});
  const waiting = Array.from({ length: 20 }, () => unlessInterrupted(signal, never));
  expect(listenersOf(signal)).toBe(1);
  abort();
  const ends = await Promise.allSettled(waiting);
  for (const end of ends) expect(end).toMatchObject({ status: "rejected", reason: expect.any(Interrupted) });
});

test("the earliest of several signals aborts, and those that are forgotten are heard no more", () => {
  const [first, second] = [controlled(), controlled()];
  const { signal, forget } = earliest(first.signal, undefined, second.signal);
  expect(signal.aborted).toBe(false);
  second.abort();
  expect(signal.aborted).toBe(true);
  forget();
  expect(listenersOf(first.signal)).toBe(0);
});

function controlled() {
  const controller = new AbortController();
  return { signal: controller.signal, abort: () => controller.abort() };
}
