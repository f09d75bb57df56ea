import { z } from "zod";
import { backendOptions, userCodeOptions } from "./backend-options.js";
import type { CommandDefinition } from "./command.js";

const options = z.strictObject({
  ...backendOptions,
  backend: backendOptions.backend
    .describe("use the backends that run at these control endpoints, instead of starting one; may be repeated")
    .meta({ placeholder: "URL,…" }),
  ray: z
    .string()
    .optional()
    .describe("have Ray hold the backends on this cluster: auto, HOST:PORT of its head, or ray://HOST:PORT")
    .meta({ placeholder: "ADDRESS" }),
  ...userCodeOptions,
  jobs: z
    .string()
    .optional()
    .describe("runs to train side by side, each at a backend of its own; overrides the config's backend.jobs")
    .meta({ placeholder: "N" }),
  devices: z
    .string()
    .optional()
    .describe("devices for them, as cuda:0,cuda:1; overrides the config's backend.devices")
    .meta({ placeholder: "D,…" }),
  set: z
    .array(z.string())
    .default([])
    .describe("set a part of the config, for instance dataset.subset=1000; may be repeated")
    .meta({ placeholder: "a.b=c" }),
  seeds: z
    .string()
    .optional()
    .describe("a number of seeds, or a list such as 0,1,5; overrides the config's")
    .meta({ placeholder: "N" }),
  out: z
    .string()
    .optional()
    .describe("run directory (default: runs/<name>-<hash>); what is complete there is kept")
    .meta({ placeholder: "DIR" }),
  shard: z
    .string()
    .optional()
    .describe("do the i-th of N shares of the runs, from 0; auto: that of this task of a Slurm array")
    .meta({ placeholder: "i/N" }),
  json: z.boolean().default(false).describe("print the summary as one JSON document instead of the table"),
  quiet: z.boolean().default(false).describe("no progress"),
});

export type RunOptions = z.infer<typeof options>;

export const runCommand: CommandDefinition<typeof options.shape> = {
  name: "run",
  summary: "run an experiment: every arm with every seed, then the table",
  arguments: [{ syntax: "<config>", help: "YAML file; see configs/" }],
  options,
  examples: [
    "ibatch run configs/digits.yaml",
    "ibatch run mine.yaml --python-path . --allow-import team.models",
    "ibatch run configs/mnist.yaml --data data --set dataset.subset=10000 \\\n    --set epochs=3 --seeds 2",
  ],
};
