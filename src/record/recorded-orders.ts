/** Reads back what a run recorded of its epochs' plans: `orders/`. */
import { z } from "zod";
import { sha256 } from "./hash.js";
import { damage, Unreadable } from "./read-file.js";
import { orderFile, TRAINED_LABELS } from "./run-files.js";
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
/** What is beside an epoch's indices and weights. */
export type PlanDocument = z.infer<typeof planDocument>;

/** Of a run that is not this experiment's to do again. */
export const filesOf = (runDirectory: string): RunFiles =>
  new RunFiles(runDirectory, "take another run, or do that run again");

/**
 * The order of an epoch in a run's directory (`<arm>/seed-<n>`), all of it checked against its hashes.
 * @throws IbatchError when it is not there, or damaged.
 */
export const readOrder = (runDirectory: string, epoch: number): RecordedOrder => orderOf(filesOf(runDirectory), epoch);

/** As `readOrder`. `n`: of the dataset, where that is known, so that each index is one of its samples. */
export function orderOf(files: RunFiles, epoch: number, n = Number.POSITIVE_INFINITY): RecordedOrder {
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
  const beyond = indices.find((index) => index >= n);
  if (beyond === undefined) return { indices, offsets, ...(weights && { weights }) };
  throw files.damaged(names.u32, damage(`it has a sample ${beyond}, its dataset has ${n} on record`));
}

const noIndices = new Unreadable("is missing (a run with record.orders: hash keeps none)");

/** What an epoch's order is beside its indices. @throws IbatchError when it is not there, or damaged. */
export function planOf(files: RunFiles, epoch: number): PlanDocument {
  const name = orderFile(epoch, "json");
  const plan = files.json(name, planDocument);
  if (plan.epoch !== epoch) throw files.damaged(name, damage(`it is of epoch ${plan.epoch}`));
  return plan;
}

export const hasPlan = (files: RunFiles, epoch: number): boolean => files.has(orderFile(epoch, "json"));

/** Whether a run keeps its orders, and not their hashes alone. */
export const keepsOrders = (files: RunFiles, epoch = 0): boolean => files.has(orderFile(epoch, "u32"));

/** A recorded file, by its path below the run's directory. */
export interface RecordedFile {
  readonly name: string;
  readonly bytes: Buffer;
}

/** The files of an epoch's order, checked as `orderOf` does; none where its indices are not on record. */
export function orderFilesOf(files: RunFiles, epoch: number): RecordedFile[] {
  if (!keepsOrders(files, epoch)) return [];
  const { weights } = orderOf(files, epoch);
  const endings = ["u32", "json", ...(weights === undefined ? [] : (["weights.f32"] as const))] as const;
  return endings.map((ending) => orderFile(epoch, ending)).map((name) => ({ name, bytes: files.bytes(name) }));
}

/** Of a run that trained on other labels than the dataset's: the file of them; else none. */
export const trainedLabelsFiles = (files: RunFiles): RecordedFile[] =>
  files.has(TRAINED_LABELS) ? [{ name: TRAINED_LABELS, bytes: files.bytes(TRAINED_LABELS) }] : [];

/** How many epochs of orders a run's directory holds, from 0 on without a gap. */
export function countOrders(files: RunFiles): number {
  let epochs = 0;
  while (hasPlan(files, epochs)) epochs += 1;
  return epochs;
}
