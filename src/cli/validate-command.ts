import { z } from "zod";
import { backendOptions, userCodeOptions } from "./backend-options.js";
import type { CommandDefinition } from "./command.js";

const { data, python, device } = backendOptions;
const MAX_BATCHES = 100_000;
const reference = z.string().regex(/^[A-Za-z_][\w.]*:[A-Za-z_][\w.]*$/, "expected package.module:callable");

const options = z.strictObject({
  data,
  python,
  device,
  ...userCodeOptions,
  reference: reference
    .optional()
    .describe("compare the config's model with what this callable of yours makes, layer by layer")
    .meta({ placeholder: "MODULE:CALLABLE" }),
  referenceArgs: z
    .string()
    .optional()
    .describe("its keyword arguments, for instance '{ num_classes: 10 }'")
    .meta({ placeholder: "YAML" }),
  loop: reference
    .optional()
    .describe("compare with this training loop of yours instead of the textbook one")
    .meta({ placeholder: "MODULE:CALLABLE" }),
  accuracy: z
    .boolean()
    .default(false)
    .describe(
      "also train for all epochs with every seed, here and in plain PyTorch with the same orders, and test whether both are " +
        "equivalent in test accuracy (config: equivalenceMargin)",
    ),
  arm: z.string().optional().describe("arm of the config (default: the baseline)").meta({ placeholder: "NAME" }),
  seed: z.coerce
    .number()
    .int()
    .min(0)
    .max(2 ** 32 - 1)
    .optional()
    .describe("seed (default: the config's first)")
    .meta({ placeholder: "N" }),
  batches: z.coerce
    .number()
    .int()
    .min(1)
    .max(MAX_BATCHES)
    .default(10)
    .describe("batches to train on (default: 10)")
    .meta({ placeholder: "N" }),
  tolerance: z.coerce
    .number()
    .min(0)
    .max(1)
    .optional()
    .describe("largest difference from the loop, as a share of the largest value (default: none on the CPU)")
    .meta({ placeholder: "SHARE" }),
  limit: z.coerce
    .number()
    .positive()
    .max(86_400)
    .default(300)
    .describe("seconds that a question to Python may take (default: 300)")
    .meta({ placeholder: "SECONDS" }),
  set: z
    .array(z.string())
    .default([])
    .describe("set a part of the config, for instance dataset.subset=1000; may be repeated")
    .meta({ placeholder: "a.b=c" }),
  out: z
    .string()
    .optional()
    .describe("the experiment's directory, which gets validation.json (default: as ibatch run)")
    .meta({ placeholder: "DIR" }),
  json: z.boolean().default(false).describe("print one JSON document instead of the table"),
});

export type ValidateCommandOptions = z.infer<typeof options>;

export const validateCommand: CommandDefinition<typeof options.shape> = {
  name: "validate",
  summary: "compare what TypeScript drives with plain PyTorch: order, losses, weights; exit code 1 where they differ",
  arguments: [{ syntax: "<config>", help: "YAML file; see configs/" }],
  options,
  examples: [
    "ibatch validate configs/digits.yaml",
    "ibatch validate mine.yaml --python-path . --allow-import team \\\n    --reference team.models:Net",
  ],
};
