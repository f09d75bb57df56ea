/** Which share of the runs a command is to do: `--shard`. */
import { usageError } from "../errors.js";
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

/**
 * Of the task of an array. Slurm counts tasks, and numbers them from the least id on by the step of `--array=MIN-MAX:STEP`;
 * ids in a list with gaps of other sizes tell no place.
 */
function shardOfSlurm(environment: Environment): Shard {
  const wanted = ["SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_COUNT", "SLURM_ARRAY_TASK_MIN", "SLURM_ARRAY_TASK_STEP"];
  const numberOf = (name: string, otherwise?: number): number => {
    const value = environment[name];
    if ((value === undefined || value === "") && otherwise !== undefined) return otherwise;
    if (value === undefined || value === "") {
      throw usageError(
        `--shard auto: ${name} is not set, as it is in a task of a Slurm array (sbatch --array=0-3); ${ELSE}`,
      );
    }
    if (!/^\d{1,9}$/.test(value)) throw usageError(`--shard auto: ${name} is ${value}, and no whole number; ${ELSE}`);
    return Number(value);
  };
  const [id, count] = [numberOf(wanted[0]), numberOf(wanted[1])];
  const [least, step] = [numberOf(wanted[2], 0), Math.max(1, numberOf(wanted[3], 1))];
  const index = (id - least) / step;
  if (Number.isInteger(index) && index >= 0 && index < count) return { index, count };
  const ids = `SLURM_ARRAY_TASK_ID is ${id}, of ${count} from ${least} on in steps of ${step}`;
  throw usageError(
    `--shard auto: ${ids}: number the array without gaps, as sbatch --array=0-${Math.max(0, count - 1)}; ${ELSE}`,
  );
}

const ELSE = "elsewhere say --shard i/N";
