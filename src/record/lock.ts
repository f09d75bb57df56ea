import { randomUUID } from "node:crypto";
import {
  closeSync,
  linkSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { surroundingsError, usageError } from "../errors.js";
import { countedAlike, isRunning, type ProcessIdentity, thisProcess } from "../running-process.js";
import { codeOf, PARTIAL, writing } from "./write-file.js";

/** Its name in the directory that it is for. */
export const LOCK = "lock";

const BEAT_SECONDS = 5;
/** After so much silence a holder that cannot be asked counts as gone. */
const SILENCE_SECONDS = 60;

/**
 * Keeps a second controller out of a directory until `release`. Whether the holder still runs is asked of the system
 * where holder and asker are counted alike; of another container or machine, it is heard: the holder writes its lock
 * anew every few seconds.
 */
export class Lock {
  readonly #directory: string;
  readonly #path: string;
  readonly #text: string;
  #file: number | undefined;
  #beat: NodeJS.Timeout | undefined;

  /** @throws IbatchError when another living process holds it. */
  constructor(directory: string) {
    this.#directory = directory;
    this.#path = join(directory, LOCK);
    this.#text = JSON.stringify({ ...thisProcess(), host: hostname(), beats: true, id: randomUUID() });
    if (this.#take() !== "taken") {
      this.#removeStale();
      if (this.#take() !== "taken") throw this.#justTaken();
    }
    sweep(directory, this.#now);
    releasedAtExit.add(this);
    this.#beat = setInterval(() => this.#sayAlive(), BEAT_SECONDS * 1000).unref();
  }

  /** When it was last tried, by the clock of the file system, in milliseconds. */
  #now = 0;

  /** Lets others in; a lock that is another's by now is left alone. */
  release(): void {
    releasedAtExit.delete(this);
    clearInterval(this.#beat);
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
    if (this.#isOurs()) rmSync(this.#path, { force: true });
  }

  /** @throws IbatchError where another took it over, because nothing was heard of this process for long. */
  refuseIfLost(): void {
    if (this.#isOurs()) return;
    throw surroundingsError(
      `${this.#directory} is another process's by now (this one was silent for ${SILENCE_SECONDS} s, or its lock was ` +
        "removed): this command ends; give it again when the other one has ended",
    );
  }

  /** @throws IbatchError where the disk does not let it be read: that says nothing of whose it is. */
  #isOurs(): boolean {
    return writing(this.#path, () => textOf(this.#path) === this.#text);
  }

  /** In place, by the file that was opened, whoever has the name by now. */
  #sayAlive(): void {
    if (this.#file === undefined) return;
    try {
      writeSync(this.#file, this.#text, 0);
    } catch {
      // a disk that refuses is told by what is recorded next
    }
  }

  /** The lock has its name only once it is whole, and only if nobody else has it: `link` never replaces. */
  #take(): "taken" | "held" {
    const mine = this.#privateName();
    return writing(this.#path, () => {
      const file = openSync(mine, "wx");
      try {
        writeSync(file, this.#text);
        this.#now = statSync(mine).mtimeMs;
        linkSync(mine, this.#path);
        this.#file = file;
        return "taken";
      } catch (error) {
        closeSync(file);
        if (codeOf(error) === "EEXIST" || codeOf(error) === "ENOENT") return "held"; // ENOENT: a new holder swept ours
        throw error;
      } finally {
        rmSync(mine, { force: true });
      }
    });
  }

  /**
   * Moves away what a process left behind that is gone, and looks at it again: between the first look and the move,
   * another process may have done the same and put its own lock there.
   */
  #removeStale(): void {
    this.#refuseHeld(this.#path);
    const aside = this.#privateName();
    if (!moved(this.#path, aside)) return;
    try {
      if (isHeld(aside, this.#now)) linkSync(aside, this.#path);
      this.#refuseHeld(aside);
    } catch (error) {
      if (codeOf(error) === "ENOENT" || codeOf(error) === "EEXIST") throw this.#justTaken();
      throw error;
    } finally {
      rmSync(aside, { force: true });
    }
  }

  #refuseHeld(path: string): void {
    if (!isHeld(path, this.#now)) return;
    const holder = writing(this.#path, () => readHolder(path));
    if (holder === undefined) return;
    const heard =
      askable(holder) || !holder.beats
        ? `(if that is no ibatch any more, remove ${this.#path})`
        : `(it cannot be asked from here: after ${SILENCE_SECONDS} s of silence it counts as gone)`;
    throw usageError(
      `${this.#directory} is in use by process ${holder.pid} on ${holder.host}: wait until it ends, or name another ` +
        `--out ${heard}`,
    );
  }

  #justTaken() {
    return usageError(`${this.#directory} was just taken by another process`);
  }

  /** A name that no other process uses, and that counts as a file which is being written. */
  #privateName(): string {
    return `${this.#path}.${randomUUID()}${PARTIAL}`;
  }
}

/** Who works in a directory. */
export type LockHolder = Pick<Holder, "pid" | "host">;

/** A living process that holds the directory, as far as that can be seen without taking it. */
export function holderOf(directory: string): LockHolder | undefined {
  const path = join(directory, LOCK);
  const holder = readHolder(path);
  if (holder === undefined || !isAlive(holder, path, Date.now())) return undefined;
  const { pid, host } = holder;
  return { pid, host };
}

/** Locks that are held, for a process that ends at once, as at a second Ctrl-C. */
const releasedAtExit = new Set<Lock>();
process.on("exit", () => {
  for (const lock of releasedAtExit) {
    try {
      lock.release();
    } catch {
      // a disk that refuses: the next command finds the holder gone
    }
  }
});

const holderSchema = z.object({
  pid: z.int(),
  host: z.string(),
  startTicks: z.number().optional(),
  bootId: z.string().optional(),
  pidNamespace: z.string().optional(),
  /** Whether it says every few seconds that it lives; locks of before did not. */
  beats: z.boolean().default(false),
});
type Holder = z.infer<typeof holderSchema>;

/** Undefined where there is none. Throws the system's own errors. */
function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    throw error;
  }
}

/** Undefined of a lock that names nobody, or is gone. Throws the system's own errors. */
function readHolder(path: string): Holder | undefined {
  const text = textOf(path);
  try {
    return holderSchema.parse(JSON.parse(text ?? ""));
  } catch {
    return undefined;
  }
}

/**
 * Whether a living process wrote this lock, or may have: one that cannot be read is left alone.
 * @param now in milliseconds, by the clock of the file system.
 */
function isHeld(path: string, now: number): boolean {
  try {
    const holder = readHolder(path);
    return holder !== undefined && isAlive(holder, path, now);
  } catch {
    return true;
  }
}

/** @param path of the lock that it wrote. */
function isAlive(holder: Holder, path: string, now: number): boolean {
  if (askable(holder)) return isRunning(holder) && !isNamesake(holder);
  if (!holder.beats) return true;
  const heard = statSync(path, { throwIfNoEntry: false })?.mtimeMs;
  return heard !== undefined && now - heard < SILENCE_SECONDS * 1000;
}

/** Whether the system here can say if it runs. Locks of before, and other systems, tell the host alone. */
function askable(holder: Holder): boolean {
  return holder.bootId === undefined ? holder.host === hostname() : countedAlike(holder, thisProcess());
}

/** An earlier process that had the number that is ours now, and did not say when it started. */
const isNamesake = ({ pid, startTicks }: ProcessIdentity): boolean =>
  pid === process.pid && startTicks === undefined && thisProcess().startTicks !== undefined;

/** Removes what those left behind that were killed on their way to the lock. */
function sweep(directory: string, now: number): void {
  for (const name of readdirSync(directory)) {
    const path = join(directory, name);
    if (name.startsWith(`${LOCK}.`) && name.endsWith(PARTIAL) && !isHeld(path, now)) rmSync(path, { force: true });
  }
}

/** Whether the file was there to be moved. */
function moved(from: string, to: string): boolean {
  try {
    renameSync(from, to);
    return true;
  } catch (error) {
    if (codeOf(error) === "ENOENT") return false;
    throw error;
  }
}
