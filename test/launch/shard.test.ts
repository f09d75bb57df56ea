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

const array = (least: number, most: number, step = 1) => ({
  SLURM_ARRAY_TASK_MIN: `${least}`,
  SLURM_ARRAY_TASK_MAX: `${most}`,
  SLURM_ARRAY_TASK_STEP: `${step}`,
});

test.each([
  ["--array=0-3", slurm(3, 4, { SLURM_ARRAY_TASK_MIN: "0", SLURM_ARRAY_TASK_STEP: "1" }), { index: 3, count: 4 }],
  ["--array=1-4", slurm(1, 4, { SLURM_ARRAY_TASK_MIN: "1" }), { index: 0, count: 4 }],
  ["--array=0-20:10", slurm(10, 3, array(0, 20, 10)), { index: 1, count: 3 }],
  ["--array=1-8", slurm(8, 8, array(1, 8)), { index: 7, count: 8 }],
  ["--array=0", slurm(0, 1, array(0, 0)), { index: 0, count: 1 }],
])("auto is the task's place in %s", (_, environment, shard) => {
  expect(readShard("auto", environment)).toEqual(shard);
});

test.each([
  ["outside of Slurm", {}, /^--shard auto: SLURM_ARRAY_TASK_ID is not set, as it is in a task of a Slurm array/],
  ["in a job that is no array", { SLURM_ARRAY_TASK_ID: "0" }, /^--shard auto: SLURM_ARRAY_TASK_COUNT is not set/],
  ["with gaps", slurm(7, 2, { SLURM_ARRAY_TASK_MIN: "0" }), /SLURM_ARRAY_TASK_ID is 7, of 2 from 0 .*number the array/],
  ["in a list, also of its first task", slurm(0, 2, array(0, 3)), /SLURM_ARRAY_TASK_ID is 0, of 2 .*without gaps/],
  ["between steps", slurm(5, 3, { SLURM_ARRAY_TASK_MIN: "0", SLURM_ARRAY_TASK_STEP: "4" }), /without gaps/],
  ["with what is no number", slurm(0, 2, { SLURM_ARRAY_TASK_MIN: "a" }), /SLURM_ARRAY_TASK_MIN is a, and no whole/],
])("auto is refused %s", (_, environment, said) => {
  expect(mistake(() => readShard("auto", environment))).toMatch(said);
});

test.each([
  ["sbatch --array=3", slurm(3, 1, array(3, 3)), /the one task of this array is 3: .* say --shard 3\/N, as 3\/8 of/],
  ["sbatch --array=1", slurm(1, 1, array(1, 1)), /the one task of this array is 1: .* say --shard 1\/N, as 1\/8 of/],
  ["sbatch --array=9", slurm(9, 1, array(9, 9)), /say --shard 9\/N, as 9\/10 of --array=0-9$/],
  [
    "sbatch --array=4-7",
    slurm(5, 4, array(4, 7)),
    /the 4 tasks of this array begin at 4: .* say --shard 5\/N, as 5\/8 of/,
  ],
])("auto does no other share than that of the whole array: %s is refused", (_, environment, said) => {
  const refused = mistake(() => readShard("auto", environment));
  expect(refused).toMatch(said);
  expect(refused).not.toContain("\n");
});
