// What is trained many times over: two runs of a second.
import { join } from "node:path";
import { EXPERIMENT } from "../command.mjs";

/** @param {object} backend more of its section */
export const smallExperiment = (name, backend = {}) => ({
  name,
  dataset: { reference: "chaos_net:bars", args: { train: 96, test: 24 } },
  model: { reference: "chaos_net:net", args: { num_classes: 4 } },
  optimizer: "adam",
  schedule: { name: "cosine", learningRate: 0.003 },
  batching: { name: "constant", size: 8 },
  epochs: 2,
  seeds: 1,
  evaluation: { trainSample: 16 },
  checkpoint: { everyBatches: 5, everySeconds: null, leastSeconds: 0, keep: 2, final: true },
  backend: { device: "cpu", threads: 1, chunkBatches: 2, restarts: 50, ...backend },
  arms: {
    weighted: { order: { name: "weighted", fraction: 0.5, by: "mean-loss", unbiased: true } },
    own: { order: { file: join(EXPERIMENT, "hard_twice.mjs") } },
  },
});
