import { KINDS } from "../config/kinds.js";
import { backendOptions } from "./backend-options.js";
import type { CommandDefinition } from "./command.js";
import { flag, type ValuesOf } from "./command-option.js";

const { python, backend, keys } = backendOptions;
const options = {
  ...{ python, backend, keys },
  json: flag("one JSON document instead of text"),
};

export type ListOptions = ValuesOf<typeof options>;

export const listCommand: CommandDefinition<ListOptions> = {
  name: "list",
  summary: "what a config can name, with options, defaults and when to choose it",
  arguments: [{ syntax: "[kind]", help: `one of ${KINDS.join(", ")} (default: all)` }],
  options,
  examples: ["ibatch list orders", "ibatch list models --json"],
  run: async ([kind], values, signal) => (await import("./list.js")).list(kind, values, signal),
};
