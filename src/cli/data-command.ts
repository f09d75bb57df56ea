import type { CommandDefinition } from "./command.js";
import { flag, text, type ValuesOf } from "./command-option.js";

const options = {
  data: text("DIR", "directory to put the files below (default: IBATCH_DATA, else ./data)"),
  quiet: flag("no progress"),
};

export type DataOptions = ValuesOf<typeof options>;

export const dataCommand: CommandDefinition<DataOptions> = {
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
  run: async ([name], values, signal) => (await import("./data.js")).data(name, values, signal),
};
