import { z } from "zod";
import { backendOptions } from "./backend-options.js";
import type { CommandDefinition } from "./command.js";

const { data, python, backend, keys } = backendOptions;
const integer = (least: number, most: number) => z.coerce.number().int().min(least).max(most);
/** More than that is nothing to look at. */
export const MOST = 10_000_000;

const options = z.strictObject({
  set: z
    .array(z.string())
    .default([])
    .describe("an option of the order, for instance leftovers=short; may be repeated")
    .meta({ placeholder: "option=value" }),
  samples: integer(1, MOST)
    .optional()
    .describe(
      "number of samples, dealt to the classes at random (default: 11; with --quality 10000, of files the largest " +
        "index + 1)",
    )
    .meta({ placeholder: "N" }),
  classes: integer(1, MOST).default(3).describe("number of classes (default: 3)").meta({ placeholder: "N" }),
  size: integer(1, MOST)
    .optional()
    .describe("samples a batch (default: 3; with --quality 64)")
    .meta({ placeholder: "K" }),
  epochs: integer(1, MOST)
    .optional()
    .describe(
      "epochs to show or to judge, and length of the run for what changes with progress (default: 2; with --quality 4)",
    )
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
    .describe(
      "losses for an order that reads them, or scores for one that reads runs recorded earlier: a float32 value a sample, as a run's signals/loss/0003.f32",
    )
    .meta({ placeholder: "FILE" }),
  check: z
    .boolean()
    .default(false)
    .describe(
      "hold the order to the laws of all orders instead, with the options that --set says and all enum and boolean " +
        "ones: exit code 1 and every fault where it breaks one",
    ),
  quality: z
    .boolean()
    .default(false)
    .describe(
      "judge the sequence of indices instead, of an order or of files: can it be told apart from a uniform shuffle? " +
        "Exit code 1 where it can. A file holds raw little-endian u32 (--samples parts epochs), .npy of integers " +
        "(seeds × epochs × indices; fewer axes will do), or text (indices parted by white space, epochs by blank lines)",
    ),
  seeds: integer(1, 10_000)
    .optional()
    .describe("seeds to judge with --quality: of an order from --seed on (default: 2), or in the file (default: 1)")
    .meta({ placeholder: "N" }),
  labels: z
    .string()
    .optional()
    .describe("the class of each sample, in a file as of --quality: an integer a sample, instead of made-up ones")
    .meta({ placeholder: "FILE" }),
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
  keys,
});

export type OrderOptions = z.infer<typeof options>;

export const orderCommand: CommandDefinition<typeof options.shape> = {
  name: "order",
  summary: "what an order does, before anything is trained with it: its batches and their classes",
  arguments: [
    {
      syntax: "<name...>",
      help:
        "an order of `ibatch list orders`, or a file of your own: ./my-order.mjs; with --quality also files of " +
        "indices, one for each seed",
    },
  ],
  options,
  examples: [
    "ibatch order homogeneous",
    "ibatch order --check ./my-order.mjs --set fraction=0.5",
    "ibatch order --quality shuffled --samples 60000",
    "ibatch order --quality ./seed-0.npy ./seed-1.npy --size 128",
    "ibatch order heterogeneous --dataset digits --size 32 \\\n    --set interleave=round-robin",
  ],
};
