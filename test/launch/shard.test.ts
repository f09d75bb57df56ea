import { expect, test } from "vitest";
import { readShard } from "../../src/launch/shard.js";
import { mistake } from "../mistake.js";

test("i/N is the i-th of N shares, from 0", () => {
  expect(readShard("0/2")).toEqual({ index: 0, count: 2 });
  expect(readShard("11/12")).toEqual({ index: 11, count: 12 });
});

test.each([
  ["0/0", "--shard 0/0: there are no 0 shards; expected i/N with i from 0 to N-1, as 0/2, or auto in a Slurm array"],
  ["2/2", "--shard 2/2: shards are counted from 0, so the last one is 1/2"],
  ["x", "--shard x: expected i/N with i from 0 to N-1, as 0/2, or auto in a Slurm array"],
  ["-1/2", "--shard -1/2: expected i/N with i from 0 to N-1, as 0/2, or auto in a Slurm array"],
  ["1/2/3", "--shard 1/2/3: expected i/N with i from 0 to N-1, as 0/2, or auto in a Slurm array"],
])("%s is refused", (text, said) => {
  expect(mistake(() => readShard(text))).toBe(said);
});

const slurm = (id: number, count: number, rest: Record<string, string> = {}) => ({
  ...{ SLURM_ARRAY_TASK_ID: `${id}`, SLURM_ARRAY_TASK_COUNT: `${count}` },
  ...rest,
});

test.each([
  ["--array=0-3", slurm(3, 4, { SLURM_ARRAY_TASK_MIN: "0", SLURM_ARRAY_TASK_STEP: "1" }), { index: 3, count: 4 }],
  ["--array=1-4", slurm(1, 4, { SLURM_ARRAY_TASK_MIN: "1" }), { index: 0, count: 4 }],
  [
    "--array=10-30:10",
    slurm(20, 3, { SLURM_ARRAY_TASK_MIN: "10", SLURM_ARRAY_TASK_STEP: "10" }),
    { index: 1, count: 3 },
  ],
])("auto is the task's place in %s", (_, environment, shard) => {
  expect(readShard("auto", environment)).toEqual(shard);
});

test.each([
  ["outside of Slurm", {}, /^--shard auto: SLURM_ARRAY_TASK_ID is not set, as it is in a task of a Slurm array/],
  ["in a job that is no array", { SLURM_ARRAY_TASK_ID: "0" }, /^--shard auto: SLURM_ARRAY_TASK_COUNT is not set/],
  ["with gaps", slurm(7, 2, { SLURM_ARRAY_TASK_MIN: "0" }), /SLURM_ARRAY_TASK_ID is 7, of 2 from 0 .*number the array/],
  ["between steps", slurm(5, 3, { SLURM_ARRAY_TASK_MIN: "0", SLURM_ARRAY_TASK_STEP: "4" }), /without gaps/],
  ["with what is no number", slurm(0, 2, { SLURM_ARRAY_TASK_MIN: "a" }), /SLURM_ARRAY_TASK_MIN is a, and no whole/],
])("auto is refused %s", (_, environment, said) => {
  expect(mistake(() => readShard("auto", environment))).toMatch(said);
});
