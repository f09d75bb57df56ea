import { z } from "zod";
import type { CommandDefinition } from "./command.js";

const options = z.strictObject({
  data: z
    .string()
    .optional()
    .describe("directory to put the files below (default: IBATCH_DATA, else ./data)")
    .meta({ placeholder: "DIR" }),
  quiet: z.boolean().default(false).describe("no progress"),
});

export type DataOptions = z.infer<typeof options>;

export const dataCommand: CommandDefinition<typeof options.shape> = {
  name: "data",
  summary: "download a dataset from where it is published, checked; goes on where a download broke off",
  arguments: [
    { syntax: "<name>", help: "mnist (12 MB), fashion-mnist (31 MB), cifar10 (170 MB) or cifar100 (169 MB)" },
  ],
  options,
  examples: [
    "ibatch data fashion-mnist",
    "ibatch data cifar10 --data ~/datasets",
    "HTTPS_PROXY=http://proxy:3128 NODE_USE_ENV_PROXY=1 ibatch data mnist\n      (Node 22.21, 24.5 and later)",
  ],
};
