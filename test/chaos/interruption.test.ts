// What `npm run chaos` asks of a run that was interrupted in order: a last checkpoint, where it stopped.
import { expect, test } from "vitest";
import { judgeInterruption } from "../../chaos/interruption.mjs";
import { interrupted } from "../../chaos/told.mjs";

const judged = (line: string | undefined, newest: number | undefined, seconds = 0.1) =>
  judgeInterruption({ arm: "a", said: line === undefined ? undefined : interrupted(line), newest, seconds });

const FINE = { wasInTime: true, faults: [] };
const at = (step: number, where: string) => `a, seed 0: interrupted at step ${step}; ${where}`;

test("it goes on from where it stopped", () => {
  expect(judged(at(12, "will go on from step 12"), 12)).toEqual(FINE);
});

test("at step 0 there is nothing to save", () => {
  expect(judged(at(0, "has no checkpoint, and will begin anew"), undefined)).toEqual(FINE);
});

test.each([
  ["it goes on from before", at(12, "will go on from step 9"), 9, "the newest is at 9"],
  ["it has none", at(12, "has no checkpoint, and will begin anew"), undefined, "the newest is at undefined"],
])("%s: no last checkpoint was taken, though there was time", (_, line, newest, why) => {
  expect(judged(line, newest, 4.9)).toEqual({
    wasInTime: false,
    faults: [`a was interrupted at step 12, and has no checkpoint of it: ${why}`],
  });
});

test("where the time for it was used up it proves nothing, and is no fault", () => {
  expect(judged(at(12, "will go on from step 9"), 9, 5)).toEqual({ wasInTime: false, faults: [] });
});

test("what is said must be so", () => {
  expect(judged(at(12, "will go on from step 12"), 9).faults).toEqual([
    "a is said to go on from step 12, and has its newest checkpoint at step 9",
  ]);
  expect(judged(undefined, 9).faults).toEqual(["a was under way, and it was not said where it was interrupted"]);
});

test("other lines say nothing of it", () => {
  expect(interrupted("[1/2] a, seed 0  interrupted: it goes on with the same command")).toBeUndefined();
});
