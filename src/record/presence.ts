/**
 * That a command works in an experiment's directory: `lock.<id>`, a file of its own there for as long as it does. The locks
 * of its runs are further names of that file, so that however many it holds, one write says that it lives.
 */
import { randomUUID } from "node:crypto";
import { readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { atExit } from "../at-exit.js";
import { LivingFile } from "./living-file.js";
import { holderOf, lost } from "./lock.js";
import { type Holder, isHeld, LOCK, type LockHolder, livingHolder, textOf, thisHolder } from "./lock-holder.js";
import { writing } from "./write-file.js";

const NAME = /^lock\.[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export const isPresence = (name: string): boolean => NAME.test(name);

export class Presence {
  readonly path: string;
  readonly text: string;
  readonly #directory: string;
  readonly #file: LivingFile;
  readonly #forgetExit: () => void;

  /** `experiment`: the hash of the one that is worked on. @throws IbatchError where the disk refuses. */
  constructor(directory: string, experiment: string) {
    const id = randomUUID();
    this.#directory = directory;
    this.path = join(directory, `${LOCK}.${id}`);
    this.text = JSON.stringify({ ...thisHolder(), experiment, id });
    this.#file = writing(this.path, () => new LivingFile(this.path, this.text));
    this.#forgetExit = atExit(() => this.release());
    this.#file.keepSaying();
  }

  /** By the clock of the file system, in milliseconds. */
  get heardAt(): number {
    return statSync(this.path, { throwIfNoEntry: false })?.mtimeMs ?? this.#file.madeAt;
  }

  sayAlive(): void {
    this.#file.sayAlive();
  }

  /** @throws IbatchError where another took this one for gone. */
  refuseIfLost(): void {
    if (writing(this.path, () => textOf(this.path)) !== this.text) throw lost(this.#directory);
  }

  release(): void {
    this.#forgetExit();
    this.#file.close();
    rmSync(this.path, { force: true });
  }
}

/** A command that works in a directory, and the file that says so. */
export interface Present extends Holder {
  readonly path: string;
}

/** Of the commands that work in a directory, those that live. `own` is left out. */
export function presentIn(directory: string, own?: Presence): Present[] {
  const now = own?.heardAt;
  return presencesIn(directory).flatMap((path) => {
    const holder = path === own?.path ? undefined : livingHolder(path, now);
    return holder === undefined ? [] : [{ ...holder, path }];
  });
}

/** Those who work in an experiment's directory, each once: commands of now, and one of before that holds all of it. */
export function usersOf(directory: string): LockHolder[] {
  const holder = holderOf(directory);
  const all = [...(holder === undefined || holder.brief ? [] : [holder]), ...presentIn(directory)];
  return all.map(({ pid, host }) => ({ pid, host }));
}

/** Removes what commands left behind that are gone. */
export function sweepPresences(directory: string, own: Presence): void {
  const now = own.heardAt;
  for (const path of presencesIn(directory)) {
    if (path !== own.path && !isHeld(path, now)) rmSync(path, { force: true });
  }
}

const presencesIn = (directory: string): string[] =>
  readdirSync(directory)
    .filter(isPresence)
    .map((name) => join(directory, name));
