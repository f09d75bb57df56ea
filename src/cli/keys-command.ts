import { z } from "zod";
import type { CommandDefinition } from "./command.js";

const options = z.strictObject({});

export const keysCommand: CommandDefinition<typeof options.shape> = {
  name: "keys",
  summary: "make the keys by which a backend on another machine and its clients know each other",
  arguments: [
    {
      syntax: "<dir>",
      help: "directory for them, made where it is not there, with a .gitignore; keys that are there are kept",
    },
  ],
  options,
  examples: ["ibatch keys keys"],
};
