import type { CommandDefinition } from "./command.js";
import { flag, neededText, text, type ValuesOf } from "./command-option.js";

const options = {
  out: neededText(
    "DIR",
    "run directory that gets all of them; what is there of the same experiment stays",
    "name the run directory that gets all of them",
  ),
  python: text(
    "PATH",
    "Python with scipy for the statistics, where they are not on record (default: IBATCH_PYTHON, else .venv)",
  ),
  json: flag("print the summary as one JSON document instead of the table"),
};

export type MergeOptions = ValuesOf<typeof options>;

export const mergeCommand: CommandDefinition<MergeOptions> = {
  name: "merge",
  summary: "join run directories of one experiment, as shards on several machines write them, then the table",
  arguments: [{ syntax: "<dir...>", help: "directories of the experiment; none of them is changed" }],
  options,
  examples: ["ibatch merge shard-0 shard-1 --out whole", "ibatch merge theirs --out mine"],
  run: async (directories, values, signal) => (await import("./merge.js")).mergeTo(directories, values, signal),
};
