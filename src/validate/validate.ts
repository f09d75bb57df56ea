/** From a config to the checks that say whether what TypeScript drives is what plain PyTorch would have done. */
import { z } from "zod";
import { toWireValue } from "../backend/codec.js";
import { type ArmConfig, armHash, type ExperimentConfig, resolveConfig } from "../config/config.js";
import type { ConfigSource } from "../config/config-source.js";
import { OrderSources } from "../config/order-sources.js";
import { runConfig, startOrder } from "../config/run-config.js";
import { usageError } from "../errors.js";
import { eachOnce } from "../experiment/observer.js";
import { refuseImport, refuseImports } from "../launch/allowed-imports.js";
import { type BackendChoice, dataDirectory, supplyChosenBackend } from "../launch/chosen-backend.js";
import { openRecord } from "../launch/launch.js";
import { hintOf } from "../nearest.js";
import { packageVersion } from "../package-root.js";
import { findPython } from "../process/find-python.js";
import { ownCommit } from "../process/own-commit.js";
import { RunRecord } from "../record/run-record.js";
import { Scratch } from "../record/scratch.js";
import type { ValidationDocument } from "../record/validation-record.js";
import { importsOf, openRequest } from "../training/open-request.js";
import { accuracyCheck, marginOf, type Trainings, trainAll } from "./accuracy.js";
import { compareLoop } from "./compare-loop.js";
import { compareModels, type ModelOptions } from "./compare-models.js";
import { comparedRate } from "./compared-rate.js";
import { drive } from "./drive.js";
import { toleranceOf } from "./loop-parity.js";
import { type Compared, type LoopOptions, object } from "./plain-pytorch.js";
import { PythonObjects } from "./python-objects.js";

export interface ValidateOptions extends Omit<BackendChoice, "backend">, ModelOptions, LoopOptions {
  /** Arm of the config; the baseline, else the first one, when left out. */
  readonly arm?: string | undefined;
  /** The config's first seed when left out. */
  readonly seed?: number | undefined;
  readonly batches: number;
  /** Whether whole trainings are compared, too. */
  readonly accuracy: boolean;
  /** The experiment's directory, where these are recorded; undefined: where `ibatch run` would. */
  readonly out: string | undefined;
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
  const listening = { signal: options.signal, say: (line: string) => process.stderr.write(`${line}\n`) };
  const note = eachOnce(listening.say);
  const orders = await OrderSources.load(source, listening);
  const early = resolveConfig(source, orders, undefined);
  const arm = chooseArm(early, options.arm);
  refuseLabelNoise(source, early.arms[arm]);
  const margin = options.accuracy ? marginOf(source, early, options.seed) : undefined;
  const allowed = options.allowImport ?? [];
  refuseImports(source, { ...early, arms: { [arm]: early.arms[arm] } }, allowed);
  for (const name of ["reference", "loop"] as const) {
    if (options[name] !== undefined) refuseImport(`--${name}`, options[name], allowed);
  }
  const room = openRecord(early, options);
  room.close(); // what cannot be recorded there is told before a backend is started
  const { signal } = options;
  const scratch = new Scratch();
  const imports = importsOf(early.arms[arm]);
  const backends = supplyChosenBackend(options, { config: early.backend, imports, signal });
  try {
    const client = await backends.get();
    const experiment = resolveConfig(source, orders, client.introduction.catalogue);
    const { recorded, compared: rated, says } = comparedRate(experiment, arm, room.directory);
    if (says !== undefined) note(says);
    const config = runConfig(rated, arm);
    const seed = options.seed ?? experiment.seeds[0];
    const record = new RunRecord(scratch.path("run"), { orders: "full", signals: "last" });
    const dataDir = dataDirectory(options);
    const { arms, evaluation } = rated;
    const configHash = armHash(arms[arm], evaluation, experiment.fixedSeeds);
    const made = { arm, seed, configHash, ibatchVersion: packageVersion() };
    record.start({ ...made, config: { ...arms[arm], evaluation }, state: "running" });
    const order = startOrder(orders, config, seed, listening);
    const { batches } = options;
    const driven = await drive({ client, config, seed, order, batches, dataDir, record, signal, note });
    const { device, threads } = client.introduction;
    const compared = { seed, config, driven, dataDir, device, threads, scratch };
    const whole = {
      experiment,
      orders,
      arm,
      workplace: { pool: [backends] as const, dataDir },
      observer: { noted: note },
    };
    const runs = margin === undefined ? undefined : await trainAll({ ...whole, margin }, options);
    const { torch, checks } = await compareWithPython(compared, runs, options);
    const document = {
      date: new Date().toISOString(),
      command: options.command,
      ibatchVersion: packageVersion(),
      commit: ownCommit(),
      torch,
      ...{ arm, seed, batches },
      configHash,
      reference: options.reference,
      loop: options.loop,
      checks,
    };
    return { config: recorded, document };
  } finally {
    await backends.discard();
    scratch.remove();
  }
}

function chooseArm({ arms, baseline }: ExperimentConfig, asked: string | undefined): string {
  if (asked === undefined) return baseline ?? Object.keys(arms)[0];
  if (arms[asked] !== undefined) return asked;
  throw usageError(`--arm ${asked}: no arm "${asked}"; ${hintOf(asked, Object.keys(arms))}`);
}

/** The loops that a run is held against read the labels of the dataset. */
function refuseLabelNoise(source: ConfigSource, { dataset }: ArmConfig): void {
  if (dataset.labelNoise === undefined) return;
  const where = `${source.where(["dataset", "labelNoise"])}: dataset.labelNoise`;
  throw usageError(
    `${where}: ibatch validate trains on the dataset's own labels in plain PyTorch: add --set dataset.labelNoise=null`,
  );
}

const started = z.strictObject({ python: z.string(), torch: z.string(), executable: z.string() });

async function compareWithPython(compared: Compared, runs: Trainings | undefined, options: ValidateOptions) {
  const { config, device, threads, dataDir } = compared;
  const { allowImport = [], pythonPath = [], limitSeconds, signal } = options;
  const python = await PythonObjects.start({
    python: findPython(options.python),
    pythonPath,
    threads,
    limitSeconds,
    signal,
  });
  try {
    const { torch } = await python.ask("start", { threads, device, allow_import: allowImport }, started);
    const request = toWireRecord(openRequest(compared));
    const data = await python.ask("open_data", { dataset: request.dataset, data_dir: dataDir }, object);
    const plain = { ...compared, request, python, data: data.object };
    const tolerance = toleranceOf(options.tolerance, device, config.precision);
    const checks = [...(await compareLoop(plain, options, tolerance)), ...(await compareModels(plain, options))];
    if (runs !== undefined) checks.push(await accuracyCheck(plain, runs, options));
    return { torch, checks };
  } finally {
    await python.end();
  }
}

function toWireRecord(value: object): Readonly<Record<string, unknown>> {
  return z.record(z.string(), z.unknown()).parse(toWireValue({ ...value }));
}
