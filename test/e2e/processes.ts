/** Which processes a command and all that it started are: they have its folder for temporary files. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { onTestFinished } from "vitest";

/** Processes whose temporary files lie there. Their command lines name it only where a socket's path is short enough. */
export function processesIn(temporary: string): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readFileSync(join("/proc", pid, "environ"), "utf8")
          .split("\0")
          .includes(`TMPDIR=${temporary}`);
      } catch {
        return false; // gone meanwhile
      }
    })
    .map(Number);
}

/** What a test that fails leaves running there, or stopped, is ended. */
export function endWithTest(temporary: string): void {
  onTestFinished(() => {
    for (const pid of processesIn(temporary)) process.kill(pid, "SIGKILL");
  });
}
