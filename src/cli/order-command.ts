import { backendOptions } from "./backend-options.js";
import type { CommandDefinition } from "./command.js";
import { flag, integer, text, texts, type ValuesOf } from "./command-option.js";

const { data, python, backend, keys } = backendOptions;
/** More than that is nothing to look at. */
export const MOST = 10_000_000;
const count = { least: 1, most: MOST };

const options = {
  set: texts("option=value", "an option of the order, for instance leftovers=short; may be repeated"),
  samples: integer(
    "N",
    "number of samples, dealt to the classes at random (default: 11; with --quality 10000, of files the largest " +
      "index + 1)",
    { ...count, fallback: undefined },
  ),
  classes: integer("N", "number of classes (default: 3)", { ...count, fallback: 3 }),
  size: integer("K", "samples a batch (default: 3; with --quality 64)", { ...count, fallback: undefined }),
  epochs: integer(
    "N",
    "epochs to show or to judge, and length of the run for what changes with progress (default: 2; with --quality 4)",
    { ...count, fallback: undefined },
  ),
  seed: integer("N", "seed (default: 0)", { least: 0, most: 2 ** 32 - 1, fallback: 0 }),
  batches: integer("N", "batches to show of an epoch (default: 12)", { ...count, fallback: 12 }),
  losses: text(
    "FILE",
    "losses for an order that reads them, or scores for one that reads runs recorded earlier: a float32 value a sample, as a run's signals/loss/0003.f32",
  ),
  check: flag(
    "hold the order to the laws of all orders instead, with the options that --set says and all enum and boolean " +
      "ones: exit code 1 and every fault where it breaks one",
  ),
  quality: flag(
    "judge the sequence of indices instead, of an order or of files: can it be told apart from a uniform shuffle? " +
      "Exit code 1 where it can. A file holds raw little-endian u32 (--samples parts epochs), .npy of integers " +
      "(seeds × epochs × indices; fewer axes will do), or text (indices parted by white space, epochs by blank lines)",
  ),
  seeds: integer(
    "N",
    "seeds to judge with --quality: of an order from --seed on (default: 2), or in the file (default: 1)",
    { least: 1, most: 10_000, fallback: undefined },
  ),
  labels: text(
    "FILE",
    "the class of each sample, in a file as of --quality: an integer a sample, instead of made-up ones",
  ),
  seconds: integer(
    "N",
    "seconds that an order in a file may take for an epoch that is shown, or for its check (default: 60)",
    { least: 1, most: 86_400, fallback: 60 },
  ),
  dataset: text("NAME", "take the labels of this dataset instead of made-up ones"),
  ...{ data, python, backend, keys },
};

export type OrderOptions = ValuesOf<typeof options>;

export const orderCommand: CommandDefinition<OrderOptions> = {
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
  run: async (names, values, signal) => (await import("./order.js")).order(names, values, signal),
};
