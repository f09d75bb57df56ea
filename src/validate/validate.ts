/** From a config to the checks that say whether what TypeScript drives is what plain PyTorch would have done. */
import { z } from "zod";
import { toWireValue } from "../backend/codec.js";
import { gitCommit, NO_USER_CODE } from "../backend/process.js";
import { findPython } from "../backend/python.js";
import { usageError } from "../errors.js";
import { type ArmConfig, armHash, type ExperimentConfig, resolveConfig } from "../experiment/config.js";
import type { ConfigSource } from "../experiment/config-source.js";
import { openRequest } from "../experiment/open-request.js";
import { OrderSources } from "../experiment/order-sources.js";
import { refuseImport, refuseImports } from "../launch/allowed-imports.js";
import { type BackendChoice, dataDirectory, openChosenBackend } from "../launch/chosen-backend.js";
import { packageRoot, packageVersion } from "../package-root.js";
import { RunRecord } from "../record/run-record.js";
import { Scratch } from "../record/scratch.js";
import { type Check, check, type ValidationDocument } from "../record/validation-record.js";
import { type Driven, drive, stopsOf } from "./drive.js";
import { evaluationCheck, lossesCheck, type Tolerance, weightsCheck } from "./loop-parity.js";
import { orderParity } from "./order-parity.js";
import { PythonObjects } from "./python-objects.js";

export interface ValidateOptions extends Omit<BackendChoice, "backend"> {
  /** Arm of the config; the baseline, else the first one, when left out. */
  readonly arm?: string | undefined;
  /** The config's first seed when left out. */
  readonly seed?: number | undefined;
  readonly batches: number;
  /** "package.module:callable" that makes the model which ours is to be like. */
  readonly reference?: string | undefined;
  readonly referenceArgs?: Readonly<Record<string, unknown>> | undefined;
  /** "package.module:callable" of a training loop to compare with, instead of the textbook one. */
  readonly loop?: string | undefined;
  /** Largest difference as a share of the largest value; undefined: as device and precision allow. */
  readonly tolerance?: number | undefined;
  /** Seconds that a question to Python may take. */
  readonly limitSeconds: number;
  /** Is recorded as what compared. */
  readonly command: string;
  readonly signal: AbortSignal;
}

export interface Validation {
  readonly config: ExperimentConfig;
  /** As it is to be recorded. */
  readonly document: ValidationDocument;
}

/** @throws IbatchError where it could not come to an answer; Interrupted. */
export async function validate(source: ConfigSource, options: ValidateOptions): Promise<Validation> {
  const orders = await OrderSources.load(source);
  const early = resolveConfig(source, orders, undefined);
  const arm = chooseArm(early, options.arm);
  const allowed = options.allowImport ?? [];
  refuseImports(source, { ...early, arms: { [arm]: early.arms[arm] } }, allowed);
  for (const name of ["reference", "loop"] as const) {
    if (options[name] !== undefined) refuseImport(`--${name}`, options[name], allowed);
  }
  const { signal } = options;
  const backend = await openChosenBackend(options, { config: early.backend, signal });
  const scratch = new Scratch();
  try {
    const { client } = backend;
    const experiment = resolveConfig(source, orders, client.introduction.catalogue);
    const config = experiment.arms[arm];
    const seed = options.seed ?? experiment.seeds[0];
    const record = new RunRecord(scratch.path("run"), { orders: "full", signals: "last" });
    record.start({ arm, seed, configHash: "", config: {}, ibatchVersion: "", state: "running" });
    const dataDir = dataDirectory(options);
    const { evaluation } = experiment;
    const order = orders.definition(config.order, seed);
    const { batches } = options;
    const driven = await drive({ client, config, order, evaluation, seed, batches, dataDir, record, signal });
    const { device, threads } = client.introduction;
    const compared = { arm, seed, config, evaluation, driven, dataDir, device, threads, scratch };
    const { torch, checks } = await compareWithPython(compared, options);
    const document = {
      date: new Date().toISOString(),
      command: options.command,
      ibatchVersion: packageVersion(),
      commit: gitCommit(packageRoot),
      torch,
      ...{ arm, seed, batches },
      configHash: armHash(config, evaluation),
      reference: options.reference,
      loop: options.loop,
      checks,
    };
    return { config: experiment, document };
  } finally {
    scratch.remove();
    await backend.stop();
  }
}

function chooseArm({ arms, baseline }: ExperimentConfig, asked: string | undefined): string {
  if (asked === undefined) return baseline ?? Object.keys(arms)[0];
  if (arms[asked] !== undefined) return asked;
  throw usageError(`--arm ${asked}: there are: ${Object.keys(arms).join(", ")}`);
}

interface Compared {
  readonly seed: number;
  readonly config: ArmConfig;
  readonly evaluation: ExperimentConfig["evaluation"];
  readonly driven: Driven;
  readonly dataDir: string;
  readonly device: string;
  readonly threads: number;
  readonly scratch: Scratch;
}

const started = z.strictObject({ python: z.string(), torch: z.string(), executable: z.string() });
const object = z.looseObject({ object: z.int() });
const hashes = z.strictObject({
  epochs: z.array(z.strictObject({ epoch: z.int(), order_sha256: z.string(), plan_sha256: z.string() })),
});
const checks = z.strictObject({ checks: z.array(check) });
const anything = z.unknown();

async function compareWithPython(compared: Compared, options: ValidateOptions) {
  const { config, device, threads } = compared;
  const { pythonPath, allowImport } = { ...NO_USER_CODE, ...options };
  const python = await PythonObjects.start({
    python: findPython(options.python),
    pythonPath: pythonPath ?? [],
    threads,
    limitSeconds: options.limitSeconds,
    signal: options.signal,
  });
  try {
    const { torch } = await python.ask("start", { threads, device, allow_import: allowImport ?? [] }, started);
    const request = openRequest({ ...compared, equalBits: false });
    const asked = { ...compared, request: toWireRecord(request), python };
    const tolerance = toleranceOf(options.tolerance, device, config.precision);
    const { model, found } = await compareLoop(asked, options, tolerance);
    const parity = options.reference === undefined ? [] : await compareModels(asked, model, options);
    return { torch, checks: [...found, ...parity] };
  } finally {
    await python.end();
  }
}

interface Asked extends Compared {
  /** `open` as it is on the wire. */
  readonly request: Readonly<Record<string, unknown>>;
  readonly python: PythonObjects;
}

interface Made {
  readonly data: number;
  readonly model: number;
}

/** Loop and order parity. */
async function compareLoop(asked: Asked, options: ValidateOptions, tolerance: Tolerance) {
  const { driven, scratch, python, request, seed, config, evaluation } = asked;
  const made = await makeModel(asked);
  const run = scratch.path("run");
  const { loss } = request;
  const loop = await python.ask(
    "open_loop",
    {
      ...made,
      run_directory: run,
      epochs: driven.epochs.map(({ epoch }) => epoch),
      optimizer: request.optimizer,
      loss,
      augmentation: request.augmentation,
      precision: request.precision,
      seed,
      micro_batch: config.microBatch,
      loop: options.loop ?? null,
    },
    object,
  );
  const checks: Check[] = [];
  const stops = stopsOf(options.batches);
  let step = 0;
  for (const [at, stop] of stops.entries()) {
    await python.ask("train", { batches: stop - step, losses_path: scratch.path("losses.f32") }, anything, loop.object);
    step = stop;
    await python.ask("save_weights", { path: scratch.path("weights.f32") }, anything, made.model);
    const name = stop === options.batches ? `weights after all ${stop} steps` : `weights after step ${stop}`;
    const theirs = scratch.readFloats("weights.f32");
    const initial = at === 0 ? driven.weights[0] : undefined;
    checks.push(weightsCheck({ name, ours: driven.weights[at + 1], theirs, initial }, tolerance));
  }
  const indices = scratch.write("test.u32", driven.testIndices);
  const look = { data: made.data, part: "test", indices_path: indices, losses_path: scratch.path("test.f32"), loss };
  const how = { precision: request.precision, batch_size: evaluation.batchSize };
  await python.ask("evaluate", { ...look, ...how }, anything, made.model);
  const { epochs } = await python.ask("seen", {}, hashes, loop.object);
  const seen = epochs.map((epoch) => ({
    epoch: epoch.epoch,
    orderSha256: epoch.order_sha256,
    planSha256: epoch.plan_sha256,
  }));
  const losses = { ours: driven.losses, theirs: scratch.readFloats("losses.f32"), batchSizes: driven.batchSizes };
  const found = [
    ...orderParity(driven.epochs, seen, options.loop ?? "the textbook loop"),
    lossesCheck(losses, tolerance),
    ...checks,
    evaluationCheck(driven.testLosses, scratch.readFloats("test.f32"), tolerance),
  ];
  return { model: made, found };
}

/** The data, and the config's model with the weights that the backend started from. */
async function makeModel({ python, request, dataDir, driven, scratch }: Asked): Promise<Made> {
  const data = await python.ask("open_data", { dataset: request.dataset, data_dir: dataDir }, object);
  const shape = { input_shape: driven.inputShape, class_count: driven.classCount };
  const model = await python.ask("build_model", { model: request.model, ...shape }, object);
  const [{ values, tensors }] = driven.weights;
  const path = scratch.write("initial.f32", values);
  await python.ask("load_weights", { path, tensors }, anything, model.object);
  return { data: data.object, model: model.object };
}

/** Of samples that models are compared on. */
const PARITY_SAMPLES = 8;

/** Model parity: the config's model against the reference, both from the weights that the backend started from. */
async function compareModels(asked: Asked, { data }: Made, options: ValidateOptions): Promise<Check[]> {
  const { python, driven, request, scratch, seed } = asked;
  const ours = (await makeModel(asked)).model;
  const reference = { origin: "import", name: options.reference, options: { args: options.referenceArgs ?? {} } };
  const shape = { input_shape: driven.inputShape, class_count: driven.classCount };
  const theirs = (await python.ask("build_model", { model: reference, ...shape }, object)).object;
  const indices = scratch.write(
    "parity.u32",
    Uint32Array.from({ length: PARITY_SAMPLES }, (_, index) => index),
  );
  const pair = { ours, theirs, data };
  const same = await python.ask("compare", { ...pair, indices_path: indices, batch_size: PARITY_SAMPLES }, checks);
  const { epochs } = driven;
  const curve = await python.ask(
    "curve",
    {
      ...pair,
      run_directory: scratch.path("run"),
      epochs: epochs.map(({ epoch }) => epoch),
      batches: options.batches,
      optimizer: request.optimizer,
      seed,
    },
    checks,
  );
  return [...same.checks, ...curve.checks].map((found) => ({ ...found, name: `model: ${found.name}` }));
}

function toWireRecord(value: object): Readonly<Record<string, unknown>> {
  return z.record(z.string(), z.unknown()).parse(toWireValue({ ...value }));
}

/** What may differ: nothing on the CPU in float32. */
function toleranceOf(asked: number | undefined, device: string, precision: string): Tolerance {
  if (asked !== undefined) return { share: asked, said: `${asked} of the largest` };
  if (precision === "bfloat16") return { share: 1e-2, said: "0.01 of the largest (bfloat16)" };
  if (device !== "cpu") return { share: 1e-3, said: "0.001 of the largest (GPU)" };
  return { share: 0, said: "equal bits" };
}
