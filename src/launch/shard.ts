/** Which share of the runs a command is to do: `--shard`. */
import { type IbatchError, usageError } from "../errors.js";
import type { Shard } from "../experiment/share.js";

type Environment = Readonly<Record<string, string | undefined>>;

const EXPECTED = "expected i/N with i from 0 to N-1, as 0/2, or auto in a Slurm array";

/** @throws IbatchError that says what is wrong, or which of Slurm's variables is missing. */
export function readShard(text: string, environment: Environment = process.env): Shard {
  if (text === "auto") return shardOfSlurm(environment);
  const [, index, count] = /^(\d{1,9})\/(\d{1,9})$/.exec(text) ?? [];
  if (count === undefined) throw usageError(`--shard ${text}: ${EXPECTED}`);
  const shard = { index: Number(index), count: Number(count) };
  if (shard.count === 0) throw usageError(`--shard ${text}: there are no 0 shards; ${EXPECTED}`);
  if (shard.index >= shard.count)
    throw usageError(
      `--shard ${text}: shards are counted from 0, so the last one is ${shard.count - 1}/${shard.count}`,
    );
  return shard;
}

/** What Slurm says to a task of its array. */
interface ArrayTask {
  readonly id: number;
  readonly count: number;
  /** The least and the largest id, and the step of `--array=MIN-MAX:STEP`. */
  readonly least: number;
  readonly most: number | undefined;
  readonly step: number;
}

/**
 * Of the task of an array. Slurm counts the tasks that were submitted, and numbers them from the least id on; ids in a list
 * with gaps of several sizes tell no place, and a part of an array does not say of how many shards.
 */
function shardOfSlurm(environment: Environment): Shard {
  const task = readArrayTask(environment);
  const { id, count, least, most, step } = task;
  const index = (id - least) / step;
  const hasGaps = most !== undefined && (most - least) / step + 1 !== count;
  if (hasGaps || !Number.isInteger(index) || index < 0 || index >= count) throw withGaps(task);
  if (least > 1 || (count === 1 && id > 0)) throw partOfArray(task);
  return { index, count };
}

function readArrayTask(environment: Environment): ArrayTask {
  const optional = (name: string): number | undefined => {
    const value = environment[name];
    if (value === undefined || value === "") return undefined;
    if (!/^\d{1,9}$/.test(value)) throw usageError(`--shard auto: ${name} is ${value}, and no whole number; ${ELSE}`);
    return Number(value);
  };
  const needed = (name: string): number => {
    const value = optional(name);
    if (value !== undefined) return value;
    throw usageError(
      `--shard auto: ${name} is not set, as it is in a task of a Slurm array (sbatch --array=0-3); ${ELSE}`,
    );
  };
  return {
    id: needed("SLURM_ARRAY_TASK_ID"),
    count: needed("SLURM_ARRAY_TASK_COUNT"),
    least: optional("SLURM_ARRAY_TASK_MIN") ?? 0,
    most: optional("SLURM_ARRAY_TASK_MAX"),
    step: Math.max(1, optional("SLURM_ARRAY_TASK_STEP") ?? 1),
  };
}

function withGaps({ id, count, least, step }: ArrayTask): IbatchError {
  const ids = `SLURM_ARRAY_TASK_ID is ${id}, of ${count} from ${least} on in steps of ${step}`;
  return usageError(
    `--shard auto: ${ids}: number the array without gaps, as sbatch --array=0-${Math.max(0, count - 1)}; ${ELSE}`,
  );
}

/** As one that is submitted to do some tasks again. */
function partOfArray({ id, count, least }: ArrayTask): IbatchError {
  const tasks =
    count === 1 ? `the one task of this array is ${id}` : `the ${count} tasks of this array begin at ${least}`;
  return usageError(
    `--shard auto: ${tasks}: it looks like a part of an array, and only a whole one, from 0 or 1 on, tells how many shards ` +
      `there are; say --shard ${id}/N, as ${id}/${Math.max(8, id + 1)} of --array=0-${Math.max(7, id)}`,
  );
}

const ELSE = "elsewhere say --shard i/N";
