import { z } from "zod";
import { backendOptions } from "./backend-options.js";
import type { CommandDefinition } from "./command.js";

const { data, python, backend } = backendOptions;
const integer = (least: number, most: number) => z.coerce.number().int().min(least).max(most);
/** More than that is nothing to look at. */
const MOST = 10_000_000;

const options = z.strictObject({
  set: z
    .array(z.string())
    .default([])
    .describe("an option of the order, for instance leftovers=short; may be repeated")
    .meta({ placeholder: "option=value" }),
  samples: integer(1, MOST)
    .default(11)
    .describe("number of samples, dealt to the classes at random (default: 11)")
    .meta({ placeholder: "N" }),
  classes: integer(1, MOST).default(3).describe("number of classes (default: 3)").meta({ placeholder: "N" }),
  size: integer(1, MOST).default(3).describe("samples a batch (default: 3)").meta({ placeholder: "K" }),
  epochs: integer(1, MOST)
    .default(2)
    .describe("epochs to show, and length of the run for what changes with progress (default: 2)")
    .meta({ placeholder: "N" }),
  seed: integer(0, 2 ** 32 - 1)
    .default(0)
    .describe("seed (default: 0)")
    .meta({ placeholder: "N" }),
  batches: integer(1, MOST)
    .default(12)
    .describe("batches to show of an epoch (default: 12)")
    .meta({ placeholder: "N" }),
  losses: z
    .string()
    .optional()
    .describe("losses for an order that reads them: a float32 value a sample, as a run's signals/loss/0003.f32")
    .meta({ placeholder: "FILE" }),
  check: z
    .boolean()
    .default(false)
    .describe(
      "hold the order to the laws of all orders instead, with the options that --set says and all enum and boolean " +
        "ones: exit code 1 and every fault where it breaks one",
    ),
  seconds: integer(1, 86_400)
    .default(60)
    .describe("seconds that an order in a file may take for an epoch that is shown, or for its check (default: 60)")
    .meta({ placeholder: "N" }),
  dataset: z
    .string()
    .optional()
    .describe("take the labels of this dataset instead of made-up ones")
    .meta({ placeholder: "NAME" }),
  data,
  python,
  backend,
});

export type OrderOptions = z.infer<typeof options>;

export const orderCommand: CommandDefinition<typeof options.shape> = {
  name: "order",
  summary: "what an order does, before anything is trained with it: its batches and their classes",
  arguments: [{ syntax: "<name>", help: "an order of `ibatch list orders`, or a file of your own: ./my-order.mjs" }],
  options,
  examples: [
    "ibatch order homogeneous",
    "ibatch order --check ./my-order.mjs --set fraction=0.5",
    "ibatch order heterogeneous --dataset digits --size 32 \\\n    --set interleave=round-robin",
  ],
};
