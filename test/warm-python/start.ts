/** Starts the Python that others are forked from. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface WarmPython {
  /** A program that stands in for Python. */
  readonly python: string;
  /** Ends it, with all that it forked. */
  stop(): Promise<void>;
}

/** @throws Error where it ends before it listens. */
export async function startWarmPython(python: string): Promise<WarmPython> {
  const directory = mkdtempSync(join(tmpdir(), "ibatch-warm-"));
  const { PYTHONPATH: _, ...env } = process.env;
  const server = spawn(python, [join(import.meta.dirname, "server.py"), directory], {
    stdio: ["pipe", "pipe", "inherit"],
    // One thread: none is lost in a fork.
    env: { ...env, OMP_NUM_THREADS: "1", MKL_NUM_THREADS: "1", OPENBLAS_NUM_THREADS: "1" },
  });
  const ended = endOf(server);
  const first = await Promise.race([once(server.stdout, "data").then(() => "ready"), ended]);
  if (first !== "ready") {
    rmSync(directory, { recursive: true });
    throw new Error(`the Python that tests fork from (${python}) ended before it was ready: ${first}`);
  }
  const stop = async () => {
    server.stdin.end();
    await ended;
    rmSync(directory, { recursive: true });
  };
  return { python: join(directory, "python"), stop };
}

/** How it ended, or why it was not started. */
const endOf = (child: ChildProcess): Promise<string> =>
  new Promise((resolve) => {
    child.once("error", ({ message }) => resolve(message));
    child.once("exit", (code, signal) => resolve(signal ?? `exit code ${code}`));
  });
