import type { CommandDefinition } from "./command.js";
import { flag, type ValuesOf } from "./command-option.js";

const options = { json: flag("print one JSON document instead") };

export type StatusOptions = ValuesOf<typeof options>;

export const statusCommand: CommandDefinition<StatusOptions> = {
  name: "status",
  summary: "say of each run whether it is done, under way, can go on, failed; starts and changes nothing",
  arguments: [{ syntax: "<dir>", help: "directory of an experiment, as `ibatch run` names it" }],
  options,
  examples: ["ibatch status runs/digits-a14ec350", "ibatch status runs/digits-a14ec350 --json"],
  run: async ([directory], values) => (await import("./status.js")).status(directory, values),
};
