/** Reads back what a run recorded of its epochs: orders and signals. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { type IbatchError, usageError } from "../errors.js";
import { wholeValues } from "./array-file.js";
import { sha256 } from "./hash.js";
import { numbered } from "./numbered.js";
import type { SignalName } from "./run-record.js";

/** What an epoch was trained on. */
export interface RecordedOrder {
  readonly indices: Uint32Array;
  readonly offsets: Uint32Array;
  readonly weights?: Float32Array;
}

const planDocument = z.object({
  orderSha256: z.string(),
  planSha256: z.string(),
  weighted: z.boolean(),
  offsets: z.array(z.int().min(0)),
  learningRates: z.array(z.number()),
});

const runDocument = z.object({
  configHash: z.string(),
  config: z.object({
    dataset: z.object({ name: z.string() }),
    order: z.object({ changesObjective: z.boolean() }),
  }),
});

/**
 * The order of an epoch in a run's directory (`<arm>/seed-<n>`), all of it checked against its hashes.
 * @throws IbatchError when it is not there, or damaged.
 */
export function readOrder(runDirectory: string, epoch: number): RecordedOrder {
  const path = join(runDirectory, "orders", numbered(epoch));
  const plan = readPlan(`${path}.json`);
  const indices = readU32(`${path}.u32`, "a run with record.orders: hash keeps none");
  const seen = sha256(indices);
  if (seen !== plan.orderSha256) throw damaged(`${path}.u32`, `it hashes to ${seen}, recorded is ${plan.orderSha256}`);
  const offsets = Uint32Array.from(plan.offsets);
  const weights = plan.weighted ? readSignalFile(`${path}.weights.f32`) : undefined;
  const all = sha256(indices, offsets, Float64Array.from(plan.learningRates), weights);
  if (all !== plan.planSha256) {
    const parts = `${path}.json${plan.weighted ? ", or the weights beside it," : ""}`;
    throw damaged(parts, `the plan hashes to ${all}, recorded is ${plan.planSha256}`);
  }
  return { indices, offsets, ...(weights && { weights }) };
}

/** SHA-256 of all that an epoch was trained on: indices, offsets, learning rates, weights. */
export const readPlanHash = (runDirectory: string, epoch: number): string =>
  readPlan(join(runDirectory, "orders", `${numbered(epoch)}.json`)).planSha256;

/** Of the config that made a run: its hash, its dataset, and whether its order was of another objective. */
export function readMadeBy(runDirectory: string): { configHash: string; dataset: string; changesObjective: boolean } {
  const { configHash, config } = readDocument(join(runDirectory, "run.json"), runDocument);
  return { configHash, dataset: config.dataset.name, changesObjective: config.order.changesObjective };
}

/** Whether a run keeps its orders, and not their hashes alone. */
export const keepsOrders = (runDirectory: string): boolean =>
  existsSync(join(runDirectory, "orders", `${numbered(0)}.u32`));

/** How many epochs of orders a run's directory holds, from 0 on without a gap. */
export function countOrders(runDirectory: string): number {
  let epochs = 0;
  while (existsSync(join(runDirectory, "orders", `${numbered(epochs)}.json`))) epochs += 1;
  return epochs;
}

/**
 * A signal of an epoch in a run's directory: float32 [n] in index order, NaN where the sample was not seen.
 * @throws IbatchError when it is not there, or damaged.
 */
export const readSignal = (runDirectory: string, name: SignalName, epoch: number): Float32Array =>
  readSignalFile(join(runDirectory, "signals", name, `${numbered(epoch)}.f32`));

/** As `readSignal`, for the file itself. */
export const readSignalFile = (path: string): Float32Array => new Float32Array(aligned(path));

const readPlan = (path: string): z.infer<typeof planDocument> => readDocument(path, planDocument);

function readDocument<T>(path: string, schema: z.ZodType<T>): T {
  const text = readBytes(path).toString("utf8");
  try {
    return schema.parse(JSON.parse(text));
  } catch (error) {
    throw damaged(path, error instanceof Error ? error.message : String(error));
  }
}

const readU32 = (path: string, hint?: string): Uint32Array => new Uint32Array(aligned(path, hint));

/** The file's values in a buffer of their own. */
function aligned(path: string, hint?: string): ArrayBuffer {
  const bytes = readBytes(path, hint);
  try {
    return wholeValues(bytes);
  } catch (error) {
    throw damaged(path, error instanceof Error ? error.message : String(error));
  }
}

function readBytes(path: string, hint?: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : error;
    const why = code === "ENOENT" ? `there is no such file${hint === undefined ? "" : `; ${hint}`}` : String(code);
    throw usageError(`${path} cannot be read: ${why}`, { cause: error });
  }
}

const damaged = (path: string, how: string): IbatchError =>
  usageError(`${path} is damaged: ${how}; take another run, or do that run again`);
