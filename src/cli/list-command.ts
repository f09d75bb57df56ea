import { z } from "zod";
import { KINDS } from "../config/kinds.js";
import { backendOptions } from "./backend-options.js";
import type { CommandDefinition } from "./command.js";

const { python, backend, keys } = backendOptions;
const options = z.strictObject({
  python,
  backend,
  keys,
  json: z.boolean().default(false).describe("one JSON document instead of text"),
});

export type ListOptions = z.infer<typeof options>;

export const listCommand: CommandDefinition<typeof options.shape> = {
  name: "list",
  summary: "what a config can name, with options, defaults and when to choose it",
  arguments: [{ syntax: "[kind]", help: `one of ${KINDS.join(", ")} (default: all)` }],
  options,
  examples: ["ibatch list orders", "ibatch list models --json"],
};
