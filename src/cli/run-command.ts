import { backendOptions, userCodeOptions } from "./backend-options.js";
import type { CommandDefinition } from "./command.js";
import { flag, text, texts, textsOrNone, type ValuesOf } from "./command-option.js";

const options = {
  ...backendOptions,
  backend: textsOrNone(
    "URL,…",
    "use the backends that run at these control endpoints, instead of starting one; may be repeated",
  ),
  ray: text("ADDRESS", "have Ray hold the backends on this cluster: auto, HOST:PORT of its head, or ray://HOST:PORT"),
  ...userCodeOptions,
  jobs: text("N", "runs to train side by side, each at a backend of its own; overrides the config's backend.jobs"),
  devices: text("D,…", "devices for them, as cuda:0,cuda:1; overrides the config's backend.devices"),
  set: texts("a.b=c", "set a part of the config, for instance dataset.subset=1000; may be repeated"),
  seeds: text("N", "a number of seeds, or a list such as 0,1,5; overrides the config's"),
  out: text("DIR", "run directory (default: runs/<name>-<hash>); what is complete there is kept"),
  shard: text("i/N", "do the i-th of N shares of the runs, from 0; auto: that of this task of a Slurm array"),
  json: flag("print the summary as one JSON document instead of the table"),
  quiet: flag("no progress"),
};

export type RunOptions = ValuesOf<typeof options>;

export const runCommand: CommandDefinition<RunOptions> = {
  name: "run",
  summary: "run an experiment: every arm with every seed, then the table",
  arguments: [{ syntax: "<config>", help: "YAML file; see configs/" }],
  options,
  examples: [
    "ibatch run configs/digits.yaml",
    "ibatch run mine.yaml --python-path . --allow-import team.models",
    "ibatch run configs/mnist.yaml --data data --set dataset.subset=10000 \\\n    --set epochs=3 --seeds 2",
  ],
  run: async ([config], values, signal) => (await import("./run.js")).run(config, values, signal),
};
