/**
 * The checkpoints of a run: `checkpoint/<step>/` with the backend's state, the controller's, and a manifest with the
 * SHA-256 of both and of itself, which is written last. One without a manifest was never finished, and counts for nothing.
 */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import type { Checksum } from "./checksums.js";
import { isDirectory, makeDirectory, removeEmpty } from "./directory.js";
import { FileInParts } from "./file-in-parts.js";
import { Damaged, damage, Missing, readBytes, Unreadable } from "./read-file.js";
import { fromSafetensors, type NumberArray } from "./safetensors.js";
import { readSealed, writeSealed } from "./sealed.js";
import { flushNames, writing } from "./write-file.js";

/** Below a run's directory. */
const CHECKPOINTS = "checkpoint";

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

const manifest = z.object({
  version: z.literal(1),
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

/** What it must agree in with the run that goes on from it. */
export type RunOf = Pick<CheckpointOf, "arm" | "seed" | "configHash" | "surroundingsSha256">;

/** What was made of a checkpoint, or what is wrong with it. */
export type Accepted<T> = { readonly taken: T } | { readonly fault: string };

export class Checkpoints {
  readonly #directory: string;
  readonly #refuseIfLost: () => void;

  /**
   * `run`: the run's directory. `refuseIfLost` is called before what counts is written or removed: it throws where the
   * directory is another process's by now.
   */
  constructor(run: string, refuseIfLost: () => void = () => {}) {
    this.#directory = join(run, CHECKPOINTS);
    this.#refuseIfLost = refuseIfLost;
  }

  /** Steps of those that were finished, the newest first. */
  get steps(): number[] {
    return this.#entries().filter((step) => existsSync(this.#path(step, MANIFEST)));
  }

  /**
   * Writes one whole; it is on the disk itself when this resolves.
   * @throws IbatchError where the disk refuses; what was written of it is gone then.
   */
  async write(of: CheckpointOf, saved: Saved): Promise<void> {
    this.#refuseIfLost();
    try {
      await this.#write(of, saved);
    } catch (error) {
      this.#refuseIfLost();
      this.remove(of.step);
      throw writing(this.pathOf(of.step), () => {
        throw error;
      });
    }
  }

  async #write(of: CheckpointOf, { numbers, arrays, backend }: Saved): Promise<void> {
    const { step } = of;
    makeDirectory(this.#directory);
    this.remove(step); // of an earlier attempt
    mkdirSync(this.pathOf(step));
    const files = {
      [BACKEND]: await writeParts(this.#path(step, BACKEND), backend),
      [CONTROLLER]: await writeParts(this.#path(step, CONTROLLER), [arrays]),
    };
    this.#refuseIfLost();
    const document: Manifest = { version: 1, ...of, state: numbers, files };
    writeSealed(this.#path(step, MANIFEST), document);
    flushNames(this.pathOf(step));
  }

  /**
   * What `accept` takes of the newest one that is whole and of this run. Of each newer one that cannot be used, `tell`
   * hears why; undefined where none is left.
   */
  async newest<T>(
    of: RunOf,
    accept: (checkpoint: Checkpoint) => Promise<Accepted<T>>,
    tell: (line: string) => void,
  ): Promise<T | undefined> {
    for (const step of this.steps) {
      const accepted = await this.#tryOne(step, of, accept);
      if ("taken" in accepted) return accepted.taken;
      tell(`${this.pathOf(step)} ${accepted.fault}: it is not used`);
    }
    return undefined;
  }

  async #tryOne<T>(
    step: number,
    of: RunOf,
    accept: (checkpoint: Checkpoint) => Promise<Accepted<T>>,
  ): Promise<Accepted<T>> {
    try {
      const accepted = await accept(this.#read(step, of));
      return "taken" in accepted ? accepted : { fault: `is damaged (${accepted.fault})` };
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error;
      return { fault: error.message };
    }
  }

  /** @throws Unreadable where it is damaged, or of another run. */
  #read(step: number, run: RunOf): Checkpoint {
    const { files, state, ...of } = naming(MANIFEST, () => readSealed(this.#path(step, MANIFEST), manifest, "refuse"));
    if (of.arm !== run.arm || of.seed !== run.seed || of.configHash !== run.configHash || of.step !== step) {
      throw damage(`it is of step ${of.step} of ${of.arm}, seed ${of.seed}, config ${of.configHash.slice(0, 8)}`);
    }
    if (of.surroundingsSha256 !== run.surroundingsSha256) throw damage("it is of surroundings that give other bits");
    const backend = this.#verified(step, BACKEND, files[BACKEND]);
    const controller = this.#verified(step, CONTROLLER, files[CONTROLLER]);
    return { ...of, numbers: state, arrays: fromSafetensors(readBytes(controller.path)), backend };
  }

  #verified(step: number, name: string, expected: Checksum): FileInParts {
    return naming(name, () => {
      const file = new FileInParts(this.#path(step, name));
      const seen = file.checksum();
      if (seen.sha256 === expected.sha256) return file;
      throw damage(`SHA-256 ${seen.sha256.slice(0, 8)}, the manifest has ${expected.sha256.slice(0, 8)}`);
    });
  }

  /** Removes all but the newest so many finished ones, and what is left of unfinished ones. */
  keepNewest(most: number): void {
    this.keepOnly(...this.steps.slice(0, most));
  }

  /** Removes all but those at these steps. */
  keepOnly(...kept: readonly number[]): void {
    this.#refuseIfLost();
    for (const step of this.#entries()) if (!kept.includes(step)) this.remove(step);
    if (kept.length === 0) removeEmpty([this.#directory]); // what else lies there is the user's
  }

  /** The manifest goes first: what a kill leaves of it was never finished. */
  remove(step: number): void {
    writing(this.pathOf(step), () => {
      rmSync(this.#path(step, MANIFEST), { force: true });
      rmSync(this.#path(step), { recursive: true, force: true });
    });
  }

  pathOf(step: number): string {
    return this.#path(step);
  }

  /** The newest first. */
  #entries(): number[] {
    if (!isDirectory(this.#directory)) return [];
    const names = readdirSync(this.#directory).filter((name) => /^\d+$/.test(name));
    return names.map(Number).sort((a, b) => b - a);
  }

  #path(step: number, ...below: readonly string[]): string {
    return join(this.#directory, `${step}`, ...below);
  }
}

/** Damage of one of its files is told with the name of that file; one that may not be read is not damaged. */
function naming<T>(file: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    if (error instanceof Damaged) throw damage(`${file}: ${error.how}`);
    if (error instanceof Missing) throw damage(`${file} ${error.message}`);
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
