/** Vitest's global set-up: one Python that has imported what takes seconds, for the tests that are not about its start. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { packageRoot } from "../../src/package-root.js";

declare module "vitest" {
  interface ProvidedContext {
    /** Stands in for Python; null where there is none, and elsewhere than on Linux. */
    warmPython: string | null;
  }
}

export default async function warmUp(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  project.provide("warmPython", null);
  const python = process.env.IBATCH_PYTHON ?? join(packageRoot, ".venv/bin/python");
  if (process.platform !== "linux" || !existsSync(python)) return;
  const directory = mkdtempSync(join(tmpdir(), "ibatch-warm-"));
  const { PYTHONPATH: _, ...env } = process.env;
  const server = spawn(python, [join(import.meta.dirname, "server.py"), directory], {
    stdio: ["pipe", "pipe", "inherit"],
    // One thread: none is lost in a fork.
    env: { ...env, OMP_NUM_THREADS: "1", MKL_NUM_THREADS: "1", OPENBLAS_NUM_THREADS: "1" },
  });
  await once(server.stdout, "data");
  project.provide("warmPython", join(directory, "python"));
  return async () => {
    const ended = once(server, "exit");
    server.stdin.end();
    await ended;
    rmSync(directory, { recursive: true });
  };
}
