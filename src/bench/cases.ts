/** What is measured: each network in batches of a size, on so many images, with the options that all loops take. */
import { usageError } from "../errors.js";
import { hintOf } from "../nearest.js";

interface Model {
  /** The dataset of the catalogue that it is for. */
  readonly dataset: string;
  /** Height, width and channels of its images. */
  readonly image: readonly [number, number, number];
  readonly batchSize: number;
  /** Samples a round where nothing else is said: some seconds of the slowest loop. */
  readonly samples: { readonly cpu: number; readonly cuda: number };
  /** Whether it is measured where no model is named. */
  readonly isDefault: { readonly cpu: boolean; readonly cuda: boolean };
}

const everywhere = { cpu: true, cuda: true };

const BY_NAME: Readonly<Record<string, Model>> = {
  "mnist-cnn": {
    ...{ dataset: "mnist", image: [28, 28, 1], batchSize: 64, isDefault: everywhere },
    samples: { cpu: 6400, cuda: 51_200 },
  },
  "fashion-mnist-cnn": {
    ...{ dataset: "fashion-mnist", image: [28, 28, 1], batchSize: 64, isDefault: everywhere },
    samples: { cpu: 3200, cuda: 51_200 },
  },
  resnet18: {
    ...{ dataset: "cifar10", image: [32, 32, 3], batchSize: 128 },
    samples: { cpu: 256, cuda: 25_600 },
    isDefault: { cpu: false, cuda: true },
  },
};

/** A map: a name that every object has, as `constructor`, is no model's. */
const MODELS: ReadonlyMap<string, Model> = new Map(Object.entries(BY_NAME));

/** As a user asks for them; what is left out is as device and model have it. */
export interface AskedCases {
  readonly models?: readonly string[] | undefined;
  readonly batchSizes?: readonly number[] | undefined;
  readonly samples?: number | undefined;
}

export interface Case extends Pick<Model, "dataset" | "image"> {
  readonly model: string;
  readonly batchSize: number;
  readonly samples: number;
}

/** The optimiser's of every loop. */
export const TRAINING = { learningRate: 0.01, momentum: 0.9, weightDecay: 5e-4 } as const;

/** @throws IbatchError at a model that no loop has. */
export function refuseUnknown({ models = [] }: AskedCases): void {
  for (const name of models) modelOf(name);
}

function modelOf(name: string): Model {
  const model = MODELS.get(name);
  if (model === undefined) throw usageError(`--model ${name}: ${hintOf(name, [...MODELS.keys()])}`);
  return model;
}

/** Each once. @throws IbatchError where one cannot be measured so. */
export function casesOn(device: string, asked: AskedCases): readonly Case[] {
  const kind = device === "cpu" ? "cpu" : "cuda";
  const defaults = [...MODELS.keys()].filter((name) => modelOf(name).isDefault[kind]);
  return [...new Set(asked.models ?? defaults)].flatMap((model) => {
    const { dataset, image, batchSize, samples } = modelOf(model);
    return [...new Set(asked.batchSizes ?? [batchSize])].map((size) => {
      const count = asked.samples ?? samples[kind];
      if (count < size) {
        throw usageError(`--samples ${count}: fewer than a batch of ${size} (${model}); take as many at least`);
      }
      return { model, dataset, image, batchSize: size, samples: count };
    });
  });
}
