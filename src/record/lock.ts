import { randomUUID } from "node:crypto";
import { linkSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { atExit } from "../at-exit.js";
import { IbatchError, surroundingsError } from "../errors.js";
import { codeOf } from "./disk-refusal.js";
import { LivingFile } from "./living-file.js";
import {
  askable,
  BRIEF_SILENCE_SECONDS,
  type Holder,
  holderText,
  isHeld,
  LOCK,
  livingHolder,
  readHolder,
  SILENCE_SECONDS,
  textOf,
  thisHolder,
} from "./lock-holder.js";
import type { Presence } from "./presence.js";
import { PARTIAL, writing } from "./write-file.js";

export interface LockOptions {
  /** It is held for a few writes alone: others wait. */
  readonly brief?: boolean;
  /** Of the command that takes it: then it is one more name of that file. */
  readonly presence?: Presence | undefined;
}

/**
 * Keeps other processes out of a directory until `release`: of a run's, for as long as one trains it; of an experiment's,
 * while what all share is written. Whether the holder still runs is asked of the system where holder and asker are
 * counted alike; of another container or machine, it is heard: the holder writes its lock anew every few seconds.
 */
export class Lock {
  readonly #directory: string;
  readonly #path: string;
  readonly #text: string;
  readonly #isBrief: boolean;
  readonly #forgetExit: () => void;
  #own: LivingFile | undefined;

  /** @throws Held when another living process holds it; IbatchError when the disk refuses. */
  constructor(directory: string, { brief = false, presence }: LockOptions = {}) {
    this.#directory = directory;
    this.#isBrief = brief;
    this.#path = join(directory, LOCK);
    this.#text = presence?.text ?? JSON.stringify({ ...thisHolder(), ...(brief && { brief }), id: randomUUID() });
    this.#now = presence?.heardAt ?? 0;
    if (this.#take(presence) !== "taken") {
      this.#removeStale();
      if (this.#take(presence) !== "taken") throw this.#justTaken();
    }
    sweep(directory, this.#now);
    this.#forgetExit = atExit(() => this.release());
    this.#own?.keepSaying();
  }

  /** When it was last tried, by the clock of the file system, in milliseconds. */
  #now: number;

  /** Lets others in; a lock that is another's by now is left alone. */
  release(): void {
    this.#forgetExit();
    this.#own?.close();
    this.#own = undefined;
    if (this.#isOurs()) rmSync(this.#path, { force: true });
  }

  /** For whom nothing else does meanwhile. */
  sayAlive(): void {
    this.#own?.sayAlive();
  }

  /** @throws IbatchError where another took it over, because nothing was heard of this process for long. */
  refuseIfLost(): void {
    if (!this.#isOurs()) throw lost(this.#directory, this.#isBrief ? BRIEF_SILENCE_SECONDS : SILENCE_SECONDS);
  }

  /** @throws IbatchError where the disk does not let it be read: that says nothing of whose it is. */
  #isOurs(): boolean {
    return writing(this.#path, () => textOf(this.#path) === this.#text);
  }

  /** The lock has its name only once it is whole, and only if nobody else has it: `link` never replaces. */
  #take(presence: Presence | undefined): "taken" | "held" {
    if (presence === undefined) return this.#takeAlone();
    return writing(this.#path, () => {
      try {
        linkSync(presence.path, this.#path);
        return "taken";
      } catch (error) {
        // A file system over the network may lose the answer, and do it all the same.
        if (codeOf(error) === "EEXIST") return this.#isOurs() ? "taken" : "held";
        presence.refuseIfLost();
        if (ELSEWHERE.includes(codeOf(error) ?? "")) return this.#takeAlone();
        throw error;
      }
    });
  }

  #takeAlone(): "taken" | "held" {
    const mine = this.#privateName();
    return writing(this.#path, () => {
      const file = new LivingFile(mine, this.#text);
      try {
        this.#now = file.madeAt;
        linkSync(mine, this.#path);
        this.#own = file;
        return "taken";
      } catch (error) {
        file.close();
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
    if (holder !== undefined) throw new Held(this.#directory, holder);
  }

  #justTaken(): Held {
    return new Held(this.#directory, undefined);
  }

  /** A name that no other process uses, and that counts as a file which is being written. */
  #privateName(): string {
    return `${this.#path}.${randomUUID()}${PARTIAL}`;
  }
}

/** Another disk than the presence's, or one that has no room for more names of a file. */
const ELSEWHERE: readonly string[] = ["EXDEV", "EMLINK", "EPERM", "ENOTSUP"];

/** Another living process has the lock. */
export class Held extends IbatchError {
  /** `holder`: undefined where it took it just now. */
  constructor(
    directory: string,
    readonly holder: Holder | undefined,
  ) {
    super(
      "usage",
      holder === undefined
        ? `${directory} was just taken by another process`
        : `${directory} is in use by ${holderText(holder)}: ${whatToDo(holder, join(directory, LOCK))}`,
    );
  }

  /** Whether its holder does more with it than a few writes. */
  get isForLong(): boolean {
    return this.holder?.brief === false;
  }
}

/** `lock`: the file, or the files, to be removed where its holder is none of ours. */
export function whatToDo(holder: Holder, lock: string): string {
  const heard =
    askable(holder) || !holder.beats
      ? `(if that is no ibatch any more, remove ${lock})`
      : `(it cannot be asked from here: after ${SILENCE_SECONDS} s of silence it counts as gone)`;
  return `wait until it ends, or name another --out ${heard}`;
}

/** Of a process that was suspended, or could not write for long. */
export const lost = (directory: string, seconds = SILENCE_SECONDS): IbatchError =>
  surroundingsError(
    `${directory} is another process's by now (this one was silent for ${seconds} s, or its lock was ` +
      "removed): this command ends; give it again when the other one has ended",
  );

/** A living process that holds the directory, as far as that can be seen without taking it. */
export const holderOf = (directory: string): Holder | undefined => livingHolder(join(directory, LOCK));

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
