import type { CommandDefinition } from "./command.js";

export const keysCommand: CommandDefinition<object> = {
  name: "keys",
  summary: "make the keys by which a backend on another machine and its clients know each other",
  arguments: [
    {
      syntax: "<dir>",
      help: "directory for them, made where it is not there, with a .gitignore; keys that are there are kept",
    },
  ],
  options: {},
  examples: ["ibatch keys keys"],
  run: async ([directory]) => (await import("./keys.js")).keys(directory),
};
