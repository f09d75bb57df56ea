/**
 * One checkpoint of a run: a directory with the backend's state, the controller's, and a manifest with the SHA-256 of
 * both and of itself, which is written last. One without a manifest was never finished, and counts for nothing.
 */
import { createHash } from "node:crypto";
import { mkdirSync, rmSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { basename, join } from "node:path";
import { z } from "zod";
import { usageError } from "../errors.js";
import type { Checksum } from "./checksums.js";
import { FileInParts } from "./file-in-parts.js";
import { Damaged, damage, fitting, isThere, Missing, notSeen, Refused, readBytes } from "./read-file.js";
import { fromSafetensors, type NumberArray } from "./safetensors.js";
import { readSealed, writeSealed } from "./sealed.js";
import { flushNames, writing } from "./write-file.js";

const MANIFEST = "manifest.json";
/** What the backend saved: model and optimiser. */
const BACKEND = "model.safetensors";
/** The controller's arrays. */
const CONTROLLER = "run.safetensors";

const count = z.int().min(0);
const checksum = z.strictObject({ sha256: z.string(), bytes: count });

const recordOptions = z.strictObject({
  /** `full`: the indices of every epoch; `hash`: only their hash. */
  orders: z.enum(["full", "hash"]),
  /** `full`: the losses of every epoch; `last`: those of the last one. */
  signals: z.enum(["full", "last"]),
});
export type RecordOptions = Readonly<z.infer<typeof recordOptions>>;

const VERSION = 1;
const versioned = z.looseObject({ version: z.int() });

const manifest = z.object({
  version: z.literal(VERSION),
  arm: z.string(),
  seed: count,
  configHash: z.string(),
  ibatchVersion: z.string(),
  /** Of what the run's bits depend on beside config and seed. */
  surroundingsSha256: z.string(),
  /** How much of the run is recorded. */
  record: recordOptions,
  step: count,
  /** Bytes of the records that grow, as they were then. */
  records: z.record(z.string(), count),
  /** The controller's numbers. */
  state: z.unknown(),
  files: z.strictObject({ [BACKEND]: checksum, [CONTROLLER]: checksum }),
});
type Manifest = z.infer<typeof manifest>;

/** Which run it is of, and where that stood. */
export type CheckpointOf = Omit<Manifest, "version" | "state" | "files">;

/** What is to be written: the controller's numbers and arrays, as they are now, and what the backend saved. */
export interface Saved {
  readonly numbers: unknown;
  /** As `toSafetensors` gives it. */
  readonly arrays: Uint8Array;
  readonly backend: AsyncIterable<Uint8Array>;
}

export interface Checkpoint extends CheckpointOf {
  readonly numbers: unknown;
  readonly arrays: ReadonlyMap<string, NumberArray>;
  readonly backend: FileInParts;
}

/** All that one consists of. */
export const CHECKPOINT_FILES: readonly string[] = [BACKEND, CONTROLLER, MANIFEST];

/** What it must agree in with the run that goes on from it. */
export type RunOf = Pick<CheckpointOf, "arm" | "seed" | "configHash" | "surroundingsSha256">;

/** @throws IbatchError where the system does not say. */
export const hasManifest = (directory: string): boolean => isThere(join(directory, MANIFEST));

/**
 * Writes one whole, in place of what an earlier attempt left there; it is on the disk itself when this resolves.
 * `refuseIfLost` throws where the directory is another process's by then.
 */
export async function writeCheckpoint(
  directory: string,
  of: CheckpointOf,
  { numbers, arrays, backend }: Saved,
  refuseIfLost: () => void,
): Promise<void> {
  removeCheckpoint(directory);
  mkdirSync(directory);
  const files = {
    [BACKEND]: await writeParts(join(directory, BACKEND), backend),
    [CONTROLLER]: await writeParts(join(directory, CONTROLLER), [arrays]),
  };
  refuseIfLost();
  const document: Manifest = { version: VERSION, ...of, state: numbers, files };
  writeSealed(join(directory, MANIFEST), document);
  flushNames(directory);
}

/**
 * @throws Unreadable where it is damaged, or is not of this step and run; IbatchError where the system refuses to read
 * it.
 */
export function readCheckpoint(directory: string, { step, ...run }: RunOf & Pick<CheckpointOf, "step">): Checkpoint {
  const path = join(directory, MANIFEST);
  const { files, state, ...of } = naming(path, () => readManifest(path));
  if (of.arm !== run.arm || of.seed !== run.seed || of.configHash !== run.configHash || of.step !== step) {
    throw damage(`it is of step ${of.step} of ${of.arm}, seed ${of.seed}, config ${of.configHash.slice(0, 8)}`);
  }
  if (of.surroundingsSha256 !== run.surroundingsSha256) throw damage("it is of surroundings that give other bits");
  const backend = verified(join(directory, BACKEND), files[BACKEND]);
  const controller = verified(join(directory, CONTROLLER), files[CONTROLLER]);
  const arrays = naming(controller.path, () => fromSafetensors(readBytes(controller.path)));
  return { ...of, numbers: state, arrays, backend };
}

/** @throws IbatchError where another ibatch wrote it: it is none that is damaged. */
function readManifest(path: string): Manifest {
  const document = readSealed(path, versioned, "refuse");
  if (document.version === VERSION) return fitting(document, manifest);
  throw usageError(
    `${path} is of version ${document.version}, and this ibatch reads version ${VERSION}: go on with the ibatch that ` +
      "wrote it, or name another directory with --out",
  );
}

/** The manifest goes first: what a kill leaves of it was never finished. */
export function removeCheckpoint(directory: string): void {
  writing(directory, () => {
    rmSync(join(directory, MANIFEST), { force: true });
    rmSync(directory, { recursive: true, force: true });
  });
}

function verified(path: string, expected: Checksum): FileInParts {
  return naming(path, () => {
    const file = new FileInParts(path);
    const seen = file.checksum();
    if (seen.sha256 === expected.sha256) return file;
    throw damage(`SHA-256 ${seen.sha256.slice(0, 8)}, the manifest has ${expected.sha256.slice(0, 8)}`);
  });
}

/**
 * Damage of one of its files is told with the name of that file.
 * @throws IbatchError where the system refuses to read it: it may be whole, and the run would begin anew without it.
 */
function naming<T>(path: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    if (error instanceof Damaged) throw damage(`${basename(path)}: ${error.how}`);
    if (error instanceof Missing) throw damage(`${basename(path)} ${error.message}`);
    if (error instanceof Refused) throw notSeen(path, error);
    throw error;
  }
}

async function writeParts(path: string, parts: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<Checksum> {
  const hash = createHash("sha256");
  let bytes = 0;
  const file: FileHandle = await open(path, "w");
  try {
    for await (const part of parts) {
      hash.update(part);
      bytes += part.byteLength;
      await file.writeFile(part);
    }
    await file.sync();
  } finally {
    await file.close();
  }
  return { sha256: hash.digest("hex"), bytes };
}
