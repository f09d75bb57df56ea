/** What Python is asked with, and the objects that it makes for it. */
import { z } from "zod";
import type { RunConfig } from "../config/run-config.js";
import type { Scratch } from "../record/scratch.js";
import type { Driven } from "./drive.js";
import type { PythonObjects } from "./python-objects.js";

/** An answer that holds an object, by its number. */
export const object = z.looseObject({ object: z.int() });

/** An answer that is not looked at. */
export const anything = z.unknown();

export interface Compared {
  readonly seed: number;
  readonly config: RunConfig;
  readonly driven: Driven;
  readonly dataDir: string;
  readonly device: string;
  readonly threads: number;
  readonly scratch: Scratch;
}

export interface PlainPyTorch extends Compared {
  /** `open` as it is on the wire. */
  readonly request: Readonly<Record<string, unknown>>;
  readonly python: PythonObjects;
  /** The config's dataset. */
  readonly data: number;
}

/** What a model is built for. */
export const shapeOf = ({ driven }: Pick<PlainPyTorch, "driven">) => ({
  input_shape: driven.inputShape,
  class_count: driven.classCount,
});

/** The config's model, with the weights that the backend started from. */
export async function makeModel(plain: PlainPyTorch): Promise<number> {
  const { python, request, driven, scratch } = plain;
  const model = await python.ask("build_model", { model: request.model, ...shapeOf(plain) }, object);
  const [{ values, tensors }] = driven.weights;
  const path = scratch.write("initial.f32", values);
  await python.ask("load_weights", { path, tensors }, anything, model.object);
  return model.object;
}

const opened = object.extend({ steps: z.int() });

export interface LoopOptions {
  /** "package.module:callable" of a training loop of the user's; the textbook one when left out. */
  readonly loop?: string | undefined;
}

/** What a loop trains: a model, on the plans of these epochs that lie in a run's directory, with the noise of a seed. */
interface Training {
  readonly model: number;
  readonly directory: string;
  readonly epochs: readonly number[];
  readonly seed: number;
  readonly memoryFormat: string;
}

/** A loop that trains as the config says, and how many steps it has. */
export function openLoop({ python, request, data, config }: PlainPyTorch, training: Training, { loop }: LoopOptions) {
  const { model, directory, epochs, seed, memoryFormat } = training;
  const { loss, precision, optimizer, augmentation } = request;
  const how = {
    ...{ loss, precision, optimizer, augmentation, micro_batch: config.microBatch },
    ...{ memory_format: memoryFormat, loop: loop ?? null },
  };
  return python.ask("open_loop", { model, data, run_directory: directory, epochs, seed, ...how }, opened);
}

const looked = z.looseObject({ accuracy: z.number() });

/** Looks at these test samples in evaluation mode: each one's loss, and the share classified right. */
export async function evaluate(
  { python, request, data, config, scratch }: PlainPyTorch,
  { model, memoryFormat }: Pick<Training, "model" | "memoryFormat">,
  indices: Uint32Array,
) {
  const files = { indices_path: scratch.write("test.u32", indices), losses_path: scratch.path("test.f32") };
  const how = {
    ...{ precision: request.precision, loss: request.loss },
    ...{ batch_size: config.evaluation.batchSize, memory_format: memoryFormat },
  };
  const { accuracy } = await python.ask("evaluate", { data, part: "test", ...files, ...how }, looked, model);
  return { accuracy, losses: scratch.readFloats("test.f32") };
}
