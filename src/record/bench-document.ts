/** What `ibatch bench` measured, as it writes it. */
import { appendFileSync, existsSync, rmSync, writeFileSync } from "node:fs";
import { z } from "zod";
import { writing } from "./write-file.js";

/** Those whose names end with "-kept" keep freed memory, as ours does. */
export const LOOPS = ["ours", "eager", "bare", "bare-kept", "textbook", "textbook-kept"] as const;
export type LoopName = (typeof LOOPS)[number];

/** Within rounds: what one loop did of another one, so that what changes from round to round falls out. */
const ratio = z.strictObject({ median: z.number(), least: z.number(), most: z.number() });
export type Ratio = z.infer<typeof ratio>;

const loop = z.strictObject({
  name: z.enum(LOOPS),
  /** Of each round. */
  seconds: z.array(z.number()),
  /** Median. */
  samplesPerSecond: z.number(),
  /** Samples a second of ours, as a multiple of this loop's. */
  oursIs: ratio,
  /** The most memory that its process held: of the GPU in tensors, else of the host. */
  peakBytes: z.number(),
});

const control = z.strictObject({
  /** Of each round: wall time of the epoch, the plan of the next one with it, without what the backend spent on training. */
  seconds: z.array(z.number()),
  /** Medians. */
  milliseconds: z.number(),
  shareOfEpoch: z.number(),
});

const product = z.strictObject({
  /** Of a forward and a backward pass: matrix products and convolutions. */
  operationsOfSample: z.number(),
  /** Operations a second of a large matrix product. */
  rates: z.array(z.number()),
  /** Of the median of these that ours reaches. */
  share: z.number(),
});

/** The same run, begun twice. */
const twice = z.strictObject({
  batches: z.number(),
  equal: z.boolean(),
  weightsSha256: z.array(z.string()).length(2),
  lossesSha256: z.array(z.string()).length(2),
});

const benchCase = z.strictObject({
  model: z.string(),
  batchSize: z.number(),
  /** Of a round, which is an epoch. */
  samples: z.number(),
  parameters: z.number(),
  /** What the backend did, as a run records it in its `settings`. */
  memoryFormat: z.string(),
  fusedUpdates: z.boolean(),
  recordedSteps: z.boolean(),
  loops: z.array(loop),
  control,
  /** Null where ours was measured alone. */
  product: product.nullable(),
  twice,
});
export type BenchCase = z.infer<typeof benchCase>;

export const benchDocument = z.strictObject({
  date: z.string(),
  command: z.string(),
  ibatchVersion: z.string(),
  commit: z.string().optional(),
  machine: z.strictObject({
    device: z.string(),
    deviceName: z.string(),
    processor: z.string(),
    cores: z.number(),
    platform: z.string(),
    node: z.string(),
    versions: z.record(z.string(), z.string()),
  }),
  threads: z.number(),
  rounds: z.number(),
  precision: z.string(),
  /** Whether images are cropped and flipped at random. */
  augments: z.boolean(),
  equalBits: z.boolean(),
  /** Processes that fetch images for the textbook loop. */
  workers: z.number(),
  /** Whether images are those of the catalogue's datasets; else they are made up. */
  isRealData: z.boolean(),
  cases: z.array(benchCase),
});
export type BenchDocument = z.infer<typeof benchDocument>;
/** What is known before anything is measured. */
export type BenchHead = Omit<BenchDocument, "cases">;

/** @throws IbatchError where the disk refuses. */
export function writeBenchDocument(path: string, document: BenchDocument): void {
  writing(path, () => writeFileSync(path, `${JSON.stringify(document, null, 2)}\n`), "--json");
}

/** Leaves what is there as it is. @throws IbatchError where it could not be written. */
export function tryBenchDocument(path: string): void {
  const isNew = !existsSync(path);
  writing(path, () => appendFileSync(path, ""), "--json");
  if (isNew) rmSync(path);
}
