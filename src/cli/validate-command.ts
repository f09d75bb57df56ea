import { backendOptions, userCodeOptions } from "./backend-options.js";
import type { CommandDefinition } from "./command.js";
import { flag, integer, number, text, texts, type ValuesOf } from "./command-option.js";

const { data, python, device } = backendOptions;
const MAX_BATCHES = 100_000;
const callable = { pattern: /^[A-Za-z_][\w.]*:[A-Za-z_][\w.]*$/, expected: "expected package.module:callable" };

const options = {
  ...{ data, python, device },
  ...userCodeOptions,
  reference: text(
    "MODULE:CALLABLE",
    "compare the config's model with what this callable of yours makes, layer by layer",
    callable,
  ),
  referenceArgs: text("YAML", "its keyword arguments, for instance '{ num_classes: 10 }'"),
  loop: text("MODULE:CALLABLE", "compare with this training loop of yours instead of the textbook one", callable),
  accuracy: flag(
    "also train for all epochs with every seed, here and in plain PyTorch with the same orders, and test whether both are " +
      "equivalent in test accuracy (config: equivalenceMargin)",
  ),
  arm: text("NAME", "arm of the config (default: the baseline)"),
  seed: integer("N", "seed (default: the config's first)", { least: 0, most: 2 ** 32 - 1, fallback: undefined }),
  batches: integer("N", "batches to train on (default: 10)", { least: 1, most: MAX_BATCHES, fallback: 10 }),
  tolerance: number(
    "SHARE",
    "largest difference from the loop, as a share of the largest value (default: none on the CPU)",
    { least: 0, most: 1, fallback: undefined },
  ),
  limit: number("SECONDS", "seconds that a question to Python may take (default: 300)", {
    ...{ moreThan: 0, most: 86_400, fallback: 300 },
  }),
  set: texts("a.b=c", "set a part of the config, for instance dataset.subset=1000; may be repeated"),
  out: text("DIR", "the experiment's directory, which gets validation.json (default: as ibatch run)"),
  json: flag("print one JSON document instead of the table"),
};

export type ValidateCommandOptions = ValuesOf<typeof options>;

export const validateCommand: CommandDefinition<ValidateCommandOptions> = {
  name: "validate",
  summary: "compare what TypeScript drives with plain PyTorch: order, losses, weights; exit code 1 where they differ",
  arguments: [{ syntax: "<config>", help: "YAML file; see configs/" }],
  options,
  examples: [
    "ibatch validate configs/digits.yaml",
    "ibatch validate mine.yaml --python-path . --allow-import team \\\n    --reference team.models:Net",
  ],
  run: async ([config], values, signal) => (await import("./validate.js")).validateConfig(config, values, signal),
};
