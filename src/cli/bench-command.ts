import { backendOptions } from "./backend-options.js";
import type { CommandDefinition } from "./command.js";
import { flag, integer, text, type ValuesOf } from "./command-option.js";

const { python } = backendOptions;
const MOST_SAMPLES = 1_000_000;
const MOST_ROUNDS = 1000;
const MOST_PROCESSES = 1024;

const options = {
  device: text("D", "auto (a GPU where there is one), cpu or cuda:N (default: auto)", {
    ...{ pattern: /^(auto|cpu|cuda(:\d+)?)$/, expected: "expected auto, cpu or cuda:N" },
  }),
  model: text("M,…", "models, as mnist-cnn,resnet18 (default: mnist-cnn,fashion-mnist-cnn; on a GPU resnet18, too)", {
    pattern: /^[\w-]+(,[\w-]+)*$/,
    expected: "expected names of models, as mnist-cnn,resnet18",
  }),
  batchSize: text("K,…", "samples a batch, as 64,512 (default: 64; of resnet18 128)", {
    ...{ pattern: /^[1-9]\d{0,5}(,[1-9]\d{0,5})*$/, expected: "expected sizes, as 64,512" },
  }),
  samples: integer("N", "samples a round, which is an epoch (default: by model and device, for rounds of seconds)", {
    ...{ least: 2, most: MOST_SAMPLES, fallback: undefined },
  }),
  rounds: integer("N", "rounds, in each of which every loop has its turn (default: 5)", {
    ...{ least: 1, most: MOST_ROUNDS, fallback: 5 },
  }),
  precision: text("P", "that all loops train in: float32, tf32 or bfloat16 (default: float32)", {
    ...{ pattern: /^(float32|tf32|bfloat16)$/, expected: "expected float32, tf32 or bfloat16" },
  }),
  augment: flag("crop and flip images at random in all loops, as is usual with CIFAR"),
  equalBits: flag("ours with backend.equalBits; exit code 1 where the same run twice has other bits"),
  against: text(
    "L,…",
    "loops to hold ours against, of eager (backend.fast: false), bare and textbook, these two also as bare-kept and " +
      "textbook-kept, which keep freed memory as ours does; or none (default: bare,bare-kept,textbook; on a GPU eager,bare,textbook)",
    {
      pattern: /^(eager|(bare|textbook)(-kept)?)(,(eager|(bare|textbook)(-kept)?))*$|^none$/,
      expected: "expected some of eager, bare, bare-kept, textbook and textbook-kept, as bare,textbook; or none",
    },
  ),
  workers: integer("N", "processes of the textbook loop's DataLoader (default: 2)", {
    ...{ least: 0, most: MOST_PROCESSES, fallback: 2 },
  }),
  threads: integer("N", "CPU threads of torch, in all loops (default: all cores)", {
    ...{ least: 1, most: MOST_PROCESSES, fallback: undefined },
  }),
  data: text("DIR", "train on the models' own datasets, which lie in this directory (default: on made-up images)"),
  python,
  json: text("FILE", "write all figures into this file, too, after each network", {
    ...{ pattern: /./, expected: "expected a file to write, as bench.json" },
  }),
};

export type BenchCommandOptions = ValuesOf<typeof options>;

export const benchCommand: CommandDefinition<BenchCommandOptions> = {
  name: "bench",
  summary: "how fast training is here, beside a bare PyTorch loop and a textbook one; needs no data",
  arguments: [],
  options,
  examples: [
    "ibatch bench",
    "ibatch bench --device cuda:0 --precision bfloat16 --json bench.json",
    "ibatch bench --device cpu --rounds 1 --samples 640",
  ],
  run: async (_, values, signal) => (await import("./bench.js")).benchHere(values, signal),
};
