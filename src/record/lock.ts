import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { type IbatchError, usageError } from "../errors.js";
import { writing } from "./disk.js";
import { PARTIAL } from "./whole-file.js";

/** Its name in the directory that it is for. */
export const LOCK = "lock";

/** Keeps a second controller out of a directory until `release`. */
export class Lock {
  readonly #directory: string;
  readonly #path: string;

  /** @throws IbatchError when another living process holds it. */
  constructor(directory: string) {
    this.#directory = directory;
    this.#path = join(directory, LOCK);
    if (this.#take()) return;
    this.#removeStale();
    if (!this.#take()) throw usageError(`${directory} was just taken by another process`);
  }

  /** Lets others in; a lock that is another's by now is left alone. */
  release(): void {
    const holder = readHolder(this.#path);
    if (holder?.pid === process.pid && holder.host === hostname()) rmSync(this.#path, { force: true });
  }

  /** The lock has its name only once it is whole, and only if nobody else has it: `link` never replaces. */
  #take(): boolean {
    const mine = this.#privateName("mine");
    return writing(this.#path, () => {
      try {
        writeFileSync(mine, JSON.stringify({ pid: process.pid, host: hostname() }), { flush: true });
        linkSync(mine, this.#path);
        return true;
      } catch (error) {
        if (isErrno(error, "EEXIST")) return false;
        throw error;
      } finally {
        rmSync(mine, { force: true });
      }
    });
  }

  /**
   * Moves away what a process left behind that died, and looks at it again: between the first look and the move,
   * another process may have done the same and put its own lock there.
   */
  #removeStale(): void {
    this.#refuseLiving(readHolder(this.#path));
    const aside = this.#privateName("stale");
    if (!moved(this.#path, aside)) return;
    try {
      const holder = readHolder(aside);
      if (holder !== undefined && isAlive(holder)) linkSync(aside, this.#path);
      this.#refuseLiving(holder);
    } finally {
      rmSync(aside, { force: true });
    }
  }

  #refuseLiving(holder: Holder | undefined): void {
    if (holder !== undefined && isAlive(holder)) throw this.#inUse(holder);
  }

  #inUse({ pid, host }: Holder): IbatchError {
    return usageError(
      `${this.#directory} is in use by process ${pid} on ${host}: wait until it ends, or name another --out ` +
        `(if that is no ibatch any more, remove ${this.#path})`,
    );
  }

  /** A name that no other living process uses, and that counts as a file which is being written. */
  #privateName(purpose: string): string {
    return `${this.#path}.${purpose}-${hostname()}-${process.pid}${PARTIAL}`;
  }
}

interface Holder {
  pid: number;
  host: string;
}

function readHolder(path: string): Holder | undefined {
  try {
    const holder: unknown = JSON.parse(readFileSync(path, "utf8"));
    const { pid, host } = Object(holder);
    return typeof pid === "number" && typeof host === "string" ? { pid, host } : undefined;
  } catch {
    return undefined;
  }
}

/** Whether the file was there to be moved. */
function moved(from: string, to: string): boolean {
  try {
    renameSync(from, to);
    return true;
  } catch (error) {
    if (isErrno(error, "ENOENT")) return false;
    throw error;
  }
}

/** A process of another machine cannot be asked: it counts as alive. */
function isAlive({ pid, host }: Holder): boolean {
  if (host !== hostname()) return true;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return isErrno(error, "EPERM");
  }
}

const isErrno = (error: unknown, code: string): boolean =>
  error instanceof Error && "code" in error && error.code === code;
