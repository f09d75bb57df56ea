import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { noSeconds, Stopwatch, timingsOf } from "../../src/training/clock.js";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["performance"] });
});
afterEach(() => {
  vi.useRealTimers();
});

const lapOf = (milliseconds: number, spentSeconds: number, ordering: number, scoring = 0) => {
  const seconds = noSeconds();
  const stopwatch = new Stopwatch();
  vi.advanceTimersByTime(milliseconds);
  stopwatch.lap(seconds, "training", { training: spentSeconds, scoring, evaluating: 0 }, ordering);
  const { orderingSeconds, wireSeconds, trainingSeconds, totalSeconds } = timingsOf(0, seconds, {
    ordering: 0,
    evaluating: 0,
  });
  return [orderingSeconds, trainingSeconds, wireSeconds, totalSeconds].map((value) => Number(value.toFixed(6)));
};

test.each([
  ["while nothing is trained: it is ordering, and no wire", 1000, 0.5, 0.3, [0.3, 0.5, 0.2, 1]],
  ["while the backend trains all the time: it costs nothing", 1000, 1, 0.3, [0, 1, 0, 1]],
  ["in part while it trains: what it does not cover", 1000, 0.9, 0.3, [0.1, 0.9, 0, 1]],
  ["not at all", 1000, 0.5, 0, [0, 0.5, 0.5, 1]],
])("a batch is decided %s", (_, milliseconds, spent, ordering, expected) => {
  expect(lapOf(milliseconds, spent, ordering)).toEqual(expected);
});

test("candidates are scored meanwhile: the backend is at work, and the seconds are its own", () => {
  expect(lapOf(1000, 0.5, 0.3, 0.4)).toEqual([0.1, 0.5, 0, 1]);
  expect(lapOf(1000, 0.5, 0.3, 0.1)).toEqual([0.3, 0.5, 0.1, 1]);
});

test("the next plan outlasts the evaluation at an epoch's end: those within the epoch are no part of that", () => {
  const seconds = noSeconds();
  const stopwatch = new Stopwatch();
  vi.advanceTimersByTime(10_000);
  stopwatch.lap(seconds, "training", { training: 4, scoring: 0, evaluating: 6 });
  vi.advanceTimersByTime(3000); // of which the backend evaluates for one, and the plan takes all
  stopwatch.lap(seconds, "evaluating", { training: 0, scoring: 0, evaluating: 1 });
  expect(timingsOf(0, seconds, { ordering: 3, evaluating: 1 })).toMatchObject({
    ...{ trainingSeconds: 4, evaluatingSeconds: 7, totalSeconds: 13 },
    wireSeconds: expect.closeTo(0, 9),
    waitingSeconds: expect.closeTo(2, 9),
  });
});
