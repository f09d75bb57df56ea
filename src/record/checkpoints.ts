/**
 * The checkpoints of a run: `checkpoint/<step>/` with the backend's state, the controller's, and a manifest with the
 * SHA-256 of both and of itself, which is written last. One without a manifest was never finished, and counts for nothing.
 * One that replaces another of its step is written as `<step>-again`, and takes its name when it is whole.
 */
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { basename, join } from "node:path";
import { z } from "zod";
import type { Checksum } from "./checksums.js";
import { makeDirectory, removeEmpty } from "./directory.js";
import { FileInParts } from "./file-in-parts.js";
import {
  Damaged,
  damage,
  isDirectory,
  isThere,
  Missing,
  notSeen,
  Refused,
  readBytes,
  Unreadable,
} from "./read-file.js";
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
  /** Of its directory. */
  readonly name: string;
  readonly numbers: unknown;
  readonly arrays: ReadonlyMap<string, NumberArray>;
  readonly backend: FileInParts;
}

/** What it must agree in with the run that goes on from it. */
export type RunOf = Pick<CheckpointOf, "arm" | "seed" | "configHash" | "surroundingsSha256">;

/** One on disk, finished or not. */
type Entry = Pick<Checkpoint, "step" | "name">;

const AGAIN = "-again";
const ENTRY = /^\d+(-again)?$/;

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

  /** Steps of those that were finished, the newest first. @throws IbatchError where the system does not say. */
  get steps(): number[] {
    return [...new Set(this.#finished().map(({ step }) => step))];
  }

  /**
   * Writes one whole; it is on the disk itself when this resolves.
   * @throws IbatchError where the disk refuses; what was written of it is gone then.
   */
  async write(of: CheckpointOf, saved: Saved): Promise<void> {
    this.#refuseIfLost();
    const { step } = of;
    this.#settle(step);
    const entry = { step, name: this.steps.includes(step) ? `${step}${AGAIN}` : `${step}` };
    try {
      await this.#write(entry, of, saved);
    } catch (error) {
      this.#refuseIfLost();
      this.#remove(entry);
      throw writing(this.#path(entry), () => {
        throw error;
      });
    }
    this.#settle(step);
  }

  async #write(entry: Entry, of: CheckpointOf, { numbers, arrays, backend }: Saved): Promise<void> {
    makeDirectory(this.#directory);
    this.#remove(entry); // of an earlier attempt
    mkdirSync(this.#path(entry));
    const files = {
      [BACKEND]: await writeParts(this.#path(entry, BACKEND), backend),
      [CONTROLLER]: await writeParts(this.#path(entry, CONTROLLER), [arrays]),
    };
    this.#refuseIfLost();
    const document: Manifest = { version: 1, ...of, state: numbers, files };
    writeSealed(this.#path(entry, MANIFEST), document);
    flushNames(this.#path(entry));
  }

  /** One that is whole by now takes the place of the one before of its step, also where a kill came between. */
  #settle(step: number): void {
    const again = this.#finished().find((entry) => entry.step === step && entry.name.endsWith(AGAIN));
    if (again === undefined) return;
    const place = { step, name: `${step}` };
    this.#remove(place);
    writing(this.#path(place), () => renameSync(this.#path(again), this.#path(place)));
    flushNames(this.#path(place));
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
    for (const entry of this.#finished()) {
      const accepted = await this.#tryOne(entry, of, accept);
      if ("taken" in accepted) return accepted.taken;
      tell(`${this.#path(entry)} ${accepted.fault}: it is not used`);
    }
    return undefined;
  }

  async #tryOne<T>(
    entry: Entry,
    of: RunOf,
    accept: (checkpoint: Checkpoint) => Promise<Accepted<T>>,
  ): Promise<Accepted<T>> {
    try {
      const accepted = await accept(this.#read(entry, of));
      return "taken" in accepted ? accepted : { fault: `is damaged (${accepted.fault})` };
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error;
      if (error instanceof Refused) throw notSeen(this.#path(entry), error); // while its state was loaded
      return { fault: error.message };
    }
  }

  /** @throws Unreadable where it is damaged, or of another run. */
  #read(entry: Entry, run: RunOf): Checkpoint {
    const path = this.#path(entry, MANIFEST);
    const { files, state, ...of } = naming(path, () => readSealed(path, manifest, "refuse"));
    if (of.arm !== run.arm || of.seed !== run.seed || of.configHash !== run.configHash || of.step !== entry.step) {
      throw damage(`it is of step ${of.step} of ${of.arm}, seed ${of.seed}, config ${of.configHash.slice(0, 8)}`);
    }
    if (of.surroundingsSha256 !== run.surroundingsSha256) throw damage("it is of surroundings that give other bits");
    const backend = this.#verified(entry, BACKEND, files[BACKEND]);
    const controller = this.#verified(entry, CONTROLLER, files[CONTROLLER]);
    return { ...of, name: entry.name, numbers: state, arrays: fromSafetensors(readBytes(controller.path)), backend };
  }

  #verified(entry: Entry, name: string, expected: Checksum): FileInParts {
    const path = this.#path(entry, name);
    return naming(path, () => {
      const file = new FileInParts(path);
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
    for (const step of kept) this.#settle(step);
    this.#removeAllBut(kept.map(String));
    if (kept.length === 0) removeEmpty([this.#directory]); // what else lies there is the user's
  }

  /** Removes those that are newer than this one, which is used in their stead, and what is left of unfinished ones. */
  keepFrom({ step, name }: Entry): void {
    this.#refuseIfLost();
    const names = this.#finished().map((entry) => entry.name);
    this.#removeAllBut(names.slice(names.indexOf(name)));
    this.#settle(step);
  }

  #removeAllBut(names: readonly string[]): void {
    for (const entry of this.#entries()) if (!names.includes(entry.name)) this.#remove(entry);
  }

  /** The manifest goes first: what a kill leaves of it was never finished. */
  #remove(entry: Entry): void {
    writing(this.#path(entry), () => {
      rmSync(this.#path(entry, MANIFEST), { force: true });
      rmSync(this.#path(entry), { recursive: true, force: true });
    });
  }

  #finished(): Entry[] {
    return this.#entries().filter((entry) => isThere(this.#path(entry, MANIFEST)));
  }

  /** The newest first; of one step, the one that replaces the other. */
  #entries(): Entry[] {
    if (!isDirectory(this.#directory)) return [];
    const names = readdirSync(this.#directory).filter((name) => ENTRY.test(name));
    return names
      .map((name) => ({ step: Number.parseInt(name, 10), name }))
      .sort((a, b) => b.step - a.step || b.name.length - a.name.length);
  }

  #path({ name }: Entry, ...below: readonly string[]): string {
    return join(this.#directory, name, ...below);
  }
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
