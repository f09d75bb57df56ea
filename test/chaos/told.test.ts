// What `npm run chaos` reads from a command's lines, and what it holds against it.
import { describe, expect, test } from "vitest";
import { judgeLoss } from "../../chaos/kinds/backend.mjs";
import { notJust } from "../../chaos/kinds/damage.mjs";
import { afterLoss, goneOnElsewhere, replacements, resumedSteps, underWay } from "../../chaos/told.mjs";

const STARTED = "[1/2] a, seed 0  started";
const GOES_ON = "[1/2] a, seed 0  goes on from step 9, in epoch 1/2";
const DONE = "[1/2] a, seed 0  done: epoch 2/2, train loss 1.1, test accuracy 97 %";
const FAILED = "[2/2] b, seed 0  failed: the backend ended: signal SIGKILL; under way: opening dataset x";
const RESTART = "a, seed 0: the backend ended: signal SIGKILL; restart 1 of 50";
const TRIED = "arm a, when it was tried: the backend was silent for 30 s";

test("which run is under way", () => {
  expect(underWay([])).toBeUndefined();
  expect(underWay([STARTED, RESTART])).toBe("a");
  expect(underWay([STARTED, DONE])).toBeUndefined();
  expect(underWay([GOES_ON])).toBe("a");
});

test("where runs went on since they last began", () => {
  const again = GOES_ON.replace("9", "18");
  expect([...resumedSteps([STARTED, GOES_ON, again])]).toEqual([["a", [9, 18]]]);
  expect([...resumedSteps([GOES_ON, STARTED])]).toEqual([["a", []]]);
});

test("how often a backend was replaced: under a run, and before any had begun", () => {
  expect(replacements([STARTED, RESTART, GOES_ON, TRIED])).toBe(2);
  expect(replacements([STARTED, DONE, FAILED])).toBe(0);
});

describe("a backend was killed", () => {
  const judged = (arm: string | undefined, line: string | undefined, hasBegun = false, place = "training") =>
    judgeLoss({ place, arm }, afterLoss(line ?? ""), hasBegun);

  test.each([
    ["a restart was said", "a", RESTART],
    ["it was being tried", undefined, TRIED],
  ])("%s: that is right, and the command may not fail", (_, arm, line) => {
    expect(judged(arm, line)).toEqual({ wasHit: true, mayFail: false });
  });

  test("a run that has begun may not fail of it", () => {
    expect(judged("b", FAILED, true)).toMatchObject({
      wasHit: false,
      fault: `b had begun, and failed of it: ${FAILED}`,
    });
    expect(judged("a", undefined)).toMatchObject({ wasHit: false, fault: "a had begun, and the command ended of it" });
  });

  test("one that is only opened may", () => {
    expect(judged(undefined, FAILED)).toEqual({ wasHit: true, mayFail: true });
  });

  test("it came too late for the run that it was meant for", () => {
    expect(judged("a", DONE)).toEqual({ wasHit: false, mayFail: true });
  });

  test("where the first one does not start the command may end", () => {
    expect(judged(undefined, undefined, false, "starting")).toEqual({ wasHit: true, mayFail: true });
    expect(judged(undefined, FAILED, false, "starting")).toEqual({ wasHit: true, mayFail: true });
  });

  test("a run that has begun may not fail where the other one does not start", () => {
    expect(judged("a", RESTART, true, "starting")).toEqual({ wasHit: true, mayFail: false });
    expect(judged("a", undefined, true, "starting")).toMatchObject({
      wasHit: false,
      fault: "a had begun, and the command ended of it",
    });
    expect(judged("b", FAILED, true, "starting")).toMatchObject({
      wasHit: false,
      fault: `b had begun, and failed of it: ${FAILED}`,
    });
  });
});

test("just the damaged checkpoints are named", () => {
  const notUsed = (path: string) => `${path} is damaged (manifest.json: cut off): it is not used`;
  expect(notJust(["/a/18"], [notUsed("/a/18"), GOES_ON])).toEqual([]);
  expect(notJust(["/a/18"], [GOES_ON])).toEqual(["/a/18 was damaged, and nothing was said of it"]);
  expect(notJust([], [notUsed("/a/9")])).toEqual(["/a/9 was whole, and was not used"]);
});

describe("runs go on", () => {
  const elsewhere = (step: number | undefined, lines: string[], isDone = true) =>
    goneOnElsewhere(new Map([["a", step]]), lines, isDone);

  test("where they must", () => {
    expect(elsewhere(9, [GOES_ON, DONE])).toEqual([]);
    expect(elsewhere(undefined, [STARTED])).toEqual([]);
    expect(elsewhere(9, [], false)).toEqual([]);
  });

  test.each([
    ["from another checkpoint", 18, [GOES_ON], "a went on from step 9, expected step 18"],
    ["from the beginning", 9, [STARTED, GOES_ON], "a went on from step 0, expected step 9"],
    ["from a checkpoint that is damaged", undefined, [GOES_ON], "a went on from step 9, expected step 0"],
    ["not at all", 9, [], "a did not go on, expected step 9"],
  ])("%s", (_, step, lines, fault) => {
    expect(elsewhere(step, lines)).toEqual([fault]);
  });
});
