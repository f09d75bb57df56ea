import { z } from "zod";
import type { CommandDefinition } from "./command.js";

const options = z.strictObject({
  out: z
    .string({ error: "name the run directory that gets all of them" })
    .describe("run directory that gets all of them; what is there of the same experiment stays")
    .meta({ placeholder: "DIR" }),
  python: z
    .string()
    .optional()
    .describe("Python with scipy for the statistics, where they are not on record (default: IBATCH_PYTHON, else .venv)")
    .meta({ placeholder: "PATH" }),
  json: z.boolean().default(false).describe("print the summary as one JSON document instead of the table"),
});

export type MergeOptions = z.infer<typeof options>;

export const mergeCommand: CommandDefinition<typeof options.shape> = {
  name: "merge",
  summary: "join run directories of one experiment, as shards on several machines write them, then the table",
  arguments: [{ syntax: "<dir...>", help: "directories of the experiment; none of them is changed" }],
  options,
  examples: ["ibatch merge shard-0 shard-1 --out whole", "ibatch merge theirs --out mine"],
};
