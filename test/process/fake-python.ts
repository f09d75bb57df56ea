import { chmodSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** An executable that stands in for Python: these lines of sh. */
export function fakePython(directory: string, ...lines: string[]): string {
  const path = join(directory, "python");
  writeFileSync(path, ["#!/bin/sh", ...lines, ""].join("\n"));
  chmodSync(path, 0o755);
  return path;
}

/** Waits, a turn of the event loop at a time, until it holds. */
export const until = (holds: () => boolean): Promise<void> =>
  new Promise((resolve) => {
    const look = () => (holds() ? resolve() : setImmediate(look));
    look();
  });

/** The process of this number is there. */
export function isThere(pid: number): boolean {
  const status = `/proc/${pid}/stat`;
  if (!existsSync("/proc/self")) {
    try {
      return process.kill(pid, 0);
    } catch {
      return false;
    }
  }
  return existsSync(status) && !/\) Z /.test(readFileSync(status, "utf8"));
}
