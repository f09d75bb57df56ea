/** A case as the config of an experiment: ours goes the way of every user's run. */
import type { ExperimentConfig } from "../config/config.js";
import { type Case, TRAINING } from "./cases.js";

/** How all cases are measured. */
export interface Setup {
  readonly threads: number | "auto";
  readonly precision: string;
  readonly equalBits: boolean;
  /** Whether images are cropped and flipped at random, as CIFAR's are. */
  readonly augments: boolean;
  /** `backend.fast` */
  readonly fast: boolean;
  readonly device: string;
  readonly rounds: number;
  /** Directory of the datasets; absent: images are made up. */
  readonly data: string | undefined;
}

/** The module of the images that are made up: the backend imports it as it would a user's. */
export const PICTURES = "py_bench.pictures";
export const ARM = "shuffled";

/** Pixels that images are padded by; py_bench/task.py has the same. */
const CROP = 4;

/** An epoch to warm up, one for each round, and one that is not trained to its end: the last one is evaluated. */
const epochsFor = (rounds: number): number => rounds + 2;

export function experimentOf({ model, batchSize, ...images }: Case, setup: Setup): Readonly<Record<string, unknown>> {
  const { learningRate, momentum, weightDecay } = TRAINING;
  return {
    name: "bench",
    dataset: datasetOf(images, setup),
    model,
    optimizer: { name: "sgd", momentum, weightDecay },
    schedule: { name: "constant", learningRate },
    batching: { name: "constant", size: batchSize },
    precision: setup.precision,
    augmentation: setup.augments ? { crop: CROP, flip: true } : { crop: 0, flip: false },
    epochs: epochsFor(setup.rounds),
    seeds: 1,
    checkpoint: null,
    evaluation: { every: epochsFor(setup.rounds), trainSample: 0, batchNormSample: 0 },
    record: { images: 0 },
    backend: backendOf(setup),
    arms: { [ARM]: { order: "shuffled" } },
  };
}

export const backendOf = ({ device, threads, equalBits, fast }: Setup) =>
  ({ device, threads, equalBits, fast }) satisfies Partial<ExperimentConfig["backend"]>;

function datasetOf({ dataset, image, samples }: Omit<Case, "model" | "batchSize">, { data }: Pick<Setup, "data">) {
  if (data !== undefined) return { name: dataset, subset: samples };
  const [height, width, channels] = image;
  return { reference: `${PICTURES}:made_up`, args: { samples, height, width, channels } };
}
