/** Reads back what a run recorded of its epochs: orders and signals. */
import { z } from "zod";
import { type IbatchError, usageError } from "../errors.js";
import { wholeValues } from "./array-file.js";
import { sha256 } from "./hash.js";
import { numbered } from "./numbered.js";
import { damage, readBytes, Unreadable } from "./read-file.js";
import { RUN_STATES, type RunState } from "./run-document.js";
import type { SignalName } from "./run-record.js";
import { RunFiles } from "./verified-files.js";

/** What an epoch was trained on. */
export interface RecordedOrder {
  readonly indices: Uint32Array;
  readonly offsets: Uint32Array;
  readonly weights?: Float32Array;
}

const planDocument = z.object({
  epoch: z.int().min(0),
  orderSha256: z.string(),
  planSha256: z.string(),
  weighted: z.boolean(),
  offsets: z.array(z.int().min(0).max(0xffff_ffff)).min(2),
  learningRates: z.array(z.number().min(0)),
});
export type PlanDocument = z.infer<typeof planDocument>;

const madeBy = z.object({
  state: z.enum(RUN_STATES),
  checksums: z.string().optional(),
  configHash: z.string(),
  config: z.object({
    dataset: z.object({ name: z.string() }),
    order: z.object({ changesObjective: z.boolean() }),
  }),
  surroundings: z.object({ dataSha256: z.string(), dataset: z.unknown() }).optional(),
});

/** What a run says of itself to those who train on its orders. */
export interface MadeBy {
  readonly state: RunState;
  readonly configHash: string;
  readonly dataset: string;
  readonly changesObjective: boolean;
  /** The data itself, and the section of the config that names it. */
  readonly data: { readonly dataSha256: string; readonly dataset?: unknown } | undefined;
}

/** Paths below a run's directory. */
export const orderFile = (epoch: number, ending: "json" | "u32" | "weights.f32"): string =>
  `orders/${numbered(epoch)}.${ending}`;
export const signalFile = (name: SignalName, epoch: number): string => `signals/${name}/${numbered(epoch)}.f32`;
export const predictionFile = (epoch: number): string => `signals/prediction/${numbered(epoch)}.u32`;

/** Of a run that is not this experiment's to do again. */
export const filesOf = (runDirectory: string): RunFiles =>
  new RunFiles(runDirectory, "take another run, or do that run again");

/**
 * The order of an epoch in a run's directory (`<arm>/seed-<n>`), all of it checked against its hashes.
 * @throws IbatchError when it is not there, or damaged.
 */
export const readOrder = (runDirectory: string, epoch: number): RecordedOrder => orderOf(filesOf(runDirectory), epoch);

/** As `readOrder`. */
export function orderOf(files: RunFiles, epoch: number): RecordedOrder {
  const plan = planOf(files, epoch);
  const names = { json: orderFile(epoch, "json"), u32: orderFile(epoch, "u32"), f32: orderFile(epoch, "weights.f32") };
  if (!files.has(names.u32)) throw files.damaged(names.u32, noIndices);
  const indices = files.u32(names.u32);
  const seen = sha256(indices);
  if (seen !== plan.orderSha256) {
    throw files.damaged(names.u32, damage(`it hashes to ${seen}, recorded is ${plan.orderSha256}`));
  }
  const offsets = Uint32Array.from(plan.offsets);
  const weights = plan.weighted ? files.f32(names.f32) : undefined;
  const all = sha256(indices, offsets, Float64Array.from(plan.learningRates), weights);
  if (all !== plan.planSha256) {
    const which = plan.weighted ? ", or the weights beside it" : "";
    throw files.damaged(names.json, damage(`the plan hashes to ${all}, recorded is ${plan.planSha256}${which}`));
  }
  return { indices, offsets, ...(weights && { weights }) };
}

const noIndices = new Unreadable("is missing (a run with record.orders: hash keeps none)");

/** What an epoch's order is beside its indices. @throws IbatchError when it is not there, or damaged. */
export function planOf(files: RunFiles, epoch: number): PlanDocument {
  const name = orderFile(epoch, "json");
  const plan = files.json(name, planDocument);
  if (plan.epoch !== epoch) throw files.damaged(name, damage(`it is of epoch ${plan.epoch}`));
  return plan;
}

export function readMadeBy(files: RunFiles): MadeBy {
  const { state, configHash, config, surroundings } = files.document(madeBy);
  const { dataset, order } = config;
  return { state, configHash, dataset: dataset.name, changesObjective: order.changesObjective, data: surroundings };
}

/** Whether a run keeps its orders, and not their hashes alone. */
export const keepsOrders = (files: RunFiles): boolean => files.has(orderFile(0, "u32"));

/** How many epochs of orders a run's directory holds, from 0 on without a gap. */
export function countOrders(files: RunFiles): number {
  let epochs = 0;
  while (files.has(orderFile(epochs, "json"))) epochs += 1;
  return epochs;
}

/**
 * A signal of an epoch in a run's directory: float32 [n] in index order, NaN where the sample was not seen.
 * @throws IbatchError when it is not there, or damaged.
 */
export const readSignal = (runDirectory: string, name: SignalName, epoch: number): Float32Array =>
  filesOf(runDirectory).f32(signalFile(name, epoch));

/** As `readSignal`, for a file that the user names. */
export function readSignalFile(path: string): Float32Array {
  try {
    return new Float32Array(wholeValues(readBytes(path)));
  } catch (error) {
    if (error instanceof Unreadable) throw named(path, error);
    throw error;
  }
}

const named = (path: string, why: Unreadable): IbatchError => usageError(`${path} ${why.message}`, { cause: why });
