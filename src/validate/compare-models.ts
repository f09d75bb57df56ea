/** Model parity: the config's model against the reference, both from the weights that the backend started from. */
import { z } from "zod";
import { consecutive } from "../kernels/consecutive.js";
import { type Check, check } from "../record/validation-record.js";
import { importOptions } from "../training/open-request.js";
import { makeModel, object, type PlainPyTorch, shapeOf } from "./plain-pytorch.js";

export interface ModelOptions {
  /** "package.module:callable" that makes the model which ours is to be like. */
  readonly reference?: string | undefined;
  readonly referenceArgs?: Readonly<Record<string, unknown>> | undefined;
}

const checks = z.strictObject({ checks: z.array(check) });

/** So many samples models are compared on. */
const PARITY_SAMPLES = 8;

/** Nothing without a reference. */
export async function compareModels(plain: PlainPyTorch, options: ModelOptions): Promise<Check[]> {
  if (options.reference === undefined) return [];
  const { python, driven, request, data, scratch } = plain;
  const ours = await makeModel(plain);
  const built = await python.ask("build_model", { model: modelOf(plain, options), ...shapeOf(plain) }, object);
  const samples = consecutive(PARITY_SAMPLES);
  const pair = { ours, theirs: built.object, data };
  const same = await python.ask("compare", { ...pair, indices_path: scratch.write("parity.u32", samples) }, checks);
  const curve = await python.ask(
    "curve",
    {
      ...pair,
      run_directory: scratch.path("run"),
      epochs: driven.epochs.map(({ epoch }) => epoch),
      optimizer: request.optimizer,
    },
    checks,
  );
  return [...same.checks, ...curve.checks].map((found) => ({ ...found, name: `model: ${found.name}` }));
}

/** The reference, as `open` would name it; the config's own model without one. */
export const modelOf = (
  { request }: Pick<PlainPyTorch, "request">,
  { reference, referenceArgs = {} }: ModelOptions,
): unknown =>
  reference === undefined
    ? request.model
    : { origin: "import", name: reference, options: importOptions({ args: referenceArgs }) };
