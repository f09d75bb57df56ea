import type { CommandDefinition } from "./command.js";

export const trustCommand: CommandDefinition<object> = {
  name: "trust",
  summary: "let .ibatch.yaml in this directory, as it is now, say which code runs",
  arguments: [],
  options: {},
  examples: ["ibatch trust"],
  run: async () => (await import("./trust.js")).trust(),
};
