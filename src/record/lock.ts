import { closeSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { usageError } from "../errors.js";

/** Keeps a second controller out of a directory until `release`. */
export class Lock {
  readonly #path: string;

  /** @throws IbatchError when another living process holds it. */
  constructor(directory: string) {
    this.#path = join(directory, "lock");
    if (!this.#take()) {
      const holder = readHolder(this.#path);
      if (holder !== undefined && isAlive(holder)) {
        throw usageError(
          `${directory} is in use by process ${holder.pid} on ${holder.host}: wait until it ends, or name another --out ` +
            `(if that is no ibatch any more, remove ${this.#path})`,
        );
      }
      rmSync(this.#path, { force: true }); // left behind by a process that died
      if (!this.#take()) throw usageError(`${directory} was just taken by another process`);
    }
  }

  release(): void {
    rmSync(this.#path, { force: true });
  }

  #take(): boolean {
    try {
      const file = openSync(this.#path, "wx");
      writeSync(file, JSON.stringify({ pid: process.pid, host: hostname() }));
      closeSync(file);
      return true;
    } catch (error) {
      if (isErrno(error, "EEXIST")) return false;
      throw error;
    }
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
