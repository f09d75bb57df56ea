import { z } from "zod";
import type { CommandDefinition } from "./command.js";

const options = z.strictObject({});

export const trustCommand: CommandDefinition<typeof options.shape> = {
  name: "trust",
  summary: "let .ibatch.yaml in this directory, as it is now, say which code runs",
  arguments: [],
  options,
  examples: ["ibatch trust"],
};
