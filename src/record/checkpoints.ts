/**
 * The checkpoints of a run: `checkpoint/<step>/`. One that replaces another of its step is written as `<step>-again`,
 * and takes its name when it is whole.
 */
import { readdirSync, renameSync } from "node:fs";
import { join, sep } from "node:path";
import { surroundingsError } from "../errors.js";
import { whyBlocked } from "./blocked.js";
import {
  CHECKPOINT_FILES,
  type Checkpoint,
  type CheckpointOf,
  hasManifest,
  type RunOf,
  readCheckpoint,
  removeCheckpoint,
  type Saved,
  writeCheckpoint,
} from "./checkpoint.js";
import { makeDirectory, removeEmpty } from "./directory.js";
import { isThere, notSeen, Refused, Unreadable } from "./read-file.js";
import { flushNames, PARTIAL, writing } from "./write-file.js";

/** Below a run's directory. */
const CHECKPOINTS = "checkpoint";

const AGAIN = "-again";
const NAME = /^\d+(-again)?$/;

/** Whether a path below a run's directory is of a checkpoint, finished or not. */
export function isCheckpointFile(path: string): boolean {
  const [top, name = "0", file = CHECKPOINT_FILES[0], ...below] = path.split(sep);
  const isOurs = CHECKPOINT_FILES.some((one) => file === one || file === `${one}${PARTIAL}`);
  return top === CHECKPOINTS && NAME.test(name) && isOurs && below.length === 0;
}

/** The directory of a checkpoint, finished or not. */
export interface Entry {
  readonly step: number;
  readonly name: string;
}

/** What was made of a checkpoint, or what is wrong with it. */
export type Accepted<T> = { readonly taken: T } | { readonly fault: string };

/** Makes something of a checkpoint that is whole. */
export type Accept<T> = (checkpoint: Checkpoint, entry: Entry) => Promise<Accepted<T>>;

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

  /** Paths of all files of those that were finished, below the run's directory. */
  get files(): string[] {
    return this.#finished().flatMap(({ name }) => CHECKPOINT_FILES.map((file) => join(CHECKPOINTS, name, file)));
  }

  /**
   * Writes one whole; it is on the disk itself when this resolves.
   * @throws IbatchError where the disk refuses; what was written of it is gone then.
   */
  async write(of: CheckpointOf, saved: Saved): Promise<void> {
    this.#refuseIfLost();
    const { step } = of;
    makeDirectory(this.#directory);
    const path = this.#path(this.steps.includes(step) ? `${step}${AGAIN}` : `${step}`);
    try {
      await writeCheckpoint(path, of, saved, this.#refuseIfLost);
    } catch (error) {
      this.#refuseIfLost();
      removeCheckpoint(path);
      throw writing(path, () => {
        throw error;
      });
    }
    this.#settle(step);
  }

  /** One that is whole by now takes the place of the one before of its step, also where a kill came between. */
  #settle(step: number): void {
    const [again, place] = [this.#path(`${step}${AGAIN}`), this.#path(`${step}`)];
    if (!hasManifest(again)) return;
    removeCheckpoint(place);
    writing(place, () => renameSync(again, place));
    flushNames(place);
  }

  /**
   * What `accept` takes of the newest one that is whole and of this run. Of each newer one that cannot be used, `tell`
   * hears why; undefined where none is left.
   * @throws IbatchError where the system refuses to read one.
   */
  async newest<T>(of: RunOf, accept: Accept<T>, tell: (line: string) => void): Promise<T | undefined> {
    for (const entry of this.#finished()) {
      const accepted = await this.#tryOne(entry, of, accept);
      if ("taken" in accepted) return accepted.taken;
      tell(`${this.#path(entry.name)} ${accepted.fault}: it is not used`);
    }
    return undefined;
  }

  async #tryOne<T>(entry: Entry, of: RunOf, accept: Accept<T>): Promise<Accepted<T>> {
    const path = this.#path(entry.name);
    try {
      const accepted = await accept(readCheckpoint(path, { ...of, step: entry.step }), entry);
      return "taken" in accepted ? accepted : { fault: `is damaged (${accepted.fault})` };
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error;
      if (error instanceof Refused) throw notSeen(path, error); // while its state was loaded
      return { fault: error.message };
    }
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
    for (const { name } of this.#entries()) if (!names.includes(name)) removeCheckpoint(this.#path(name));
  }

  #finished(): Entry[] {
    return this.#entries().filter(({ name }) => hasManifest(this.#path(name)));
  }

  /** The newest first; of one step, the one that replaces the other. */
  #entries(): Entry[] {
    const why = whyBlocked(this.#directory); // a link whose disk is away just now, too: its checkpoints are not gone
    if (why !== undefined) throw surroundingsError(`${this.#directory} ${why}`);
    if (!isThere(this.#directory)) return [];
    const names = readdirSync(this.#directory).filter((name) => NAME.test(name));
    return names
      .map((name) => ({ step: Number.parseInt(name, 10), name }))
      .sort((a, b) => b.step - a.step || b.name.length - a.name.length);
  }

  #path(name: string): string {
    return join(this.#directory, name);
  }
}
