/** What is measured: each network in batches of a size, on so many images, with the options that all loops take. */
import { usageError } from "../errors.js";
import { hintOf } from "../nearest.js";
import { counted } from "../results/number-text.js";

interface Model {
  /** The dataset of the catalogue that it is for. */
  readonly dataset: string;
  /** Height, width and channels of its images. */
  readonly image: readonly [number, number, number];
  readonly batchSize: number;
  /** Samples a round where nothing else is said: some seconds of the slowest loop. */
  readonly samples: { readonly cpu: number; readonly cuda: number };
  /** Fewest samples of a batch that it trains on. */
  readonly leastBatchSize: number;
  /** Whether it is measured where no model is named. */
  readonly isDefault: { readonly cpu: boolean; readonly cuda: boolean };
}

const everywhere = { cpu: true, cuda: true };

const MODELS: Readonly<Record<string, Model>> = {
  "mnist-cnn": {
    ...{ dataset: "mnist", image: [28, 28, 1], batchSize: 64, leastBatchSize: 1, isDefault: everywhere },
    samples: { cpu: 6400, cuda: 51_200 },
  },
  "fashion-mnist-cnn": {
    ...{ dataset: "fashion-mnist", image: [28, 28, 1], batchSize: 64, leastBatchSize: 1, isDefault: everywhere },
    samples: { cpu: 3200, cuda: 51_200 },
  },
  resnet18: {
    ...{ dataset: "cifar10", image: [32, 32, 3], batchSize: 128, leastBatchSize: 2 },
    samples: { cpu: 256, cuda: 25_600 },
    isDefault: { cpu: false, cuda: true },
  },
};

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
  const unknown = models.find((name) => MODELS[name] === undefined);
  if (unknown !== undefined) throw usageError(`--model ${unknown}: ${hintOf(unknown, Object.keys(MODELS))}`);
}

/** @throws IbatchError where a model cannot be trained so. */
export function casesOn(device: string, asked: AskedCases): readonly Case[] {
  const kind = device === "cpu" ? "cpu" : "cuda";
  const defaults = Object.keys(MODELS).filter((name) => MODELS[name].isDefault[kind]);
  return (asked.models ?? defaults).flatMap((model) => {
    const { dataset, image, batchSize, samples, leastBatchSize } = MODELS[model];
    return (asked.batchSizes ?? [batchSize]).map((size) => {
      const count = asked.samples ?? samples[kind];
      refuseUntrainable({ model, batchSize: size, samples: count }, leastBatchSize);
      return { model, dataset, image, batchSize: size, samples: count };
    });
  });
}

function refuseUntrainable({ model, batchSize, samples }: Omit<Case, "dataset" | "image">, least: number): void {
  if (samples < batchSize) {
    throw usageError(`--samples ${samples}: fewer than a batch of ${batchSize} (${model}); take as many at least`);
  }
  const last = samples % batchSize || batchSize;
  if (last >= least) return;
  throw usageError(
    `--batch-size ${batchSize} leaves a batch of ${counted(last, "sample")} of ${samples}, and ${model} normalises over ` +
      `batches of ${least} at least: take another size, or --samples ${samples - last}`,
  );
}
