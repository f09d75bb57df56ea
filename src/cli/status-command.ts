import { z } from "zod";
import type { CommandDefinition } from "./command.js";

const options = z.strictObject({
  json: z.boolean().default(false).describe("print one JSON document instead"),
});

export type StatusOptions = z.infer<typeof options>;

export const statusCommand: CommandDefinition<typeof options.shape> = {
  name: "status",
  summary: "say of each run whether it is done, under way, can go on, failed; starts and changes nothing",
  arguments: [{ syntax: "<dir>", help: "directory of an experiment, as `ibatch run` names it" }],
  options,
  examples: ["ibatch status runs/digits-a14ec350", "ibatch status runs/digits-a14ec350 --json"],
};
