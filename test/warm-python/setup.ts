/** Vitest's global set-up: one Python that has imported what takes seconds, for the tests that are not about its start. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { packageRoot } from "../../src/package-root.js";
import { startWarmPython } from "./start.js";

declare module "vitest" {
  interface ProvidedContext {
    /** Stands in for Python; null where there is none, and elsewhere than on Linux. */
    warmPython: string | null;
    /** What it stands in for; null as above. */
    coldPython: string | null;
  }
}

export default async function warmUp(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  project.provide("warmPython", null);
  project.provide("coldPython", null);
  const python = process.env.IBATCH_PYTHON ?? join(packageRoot, ".venv/bin/python");
  if (process.platform !== "linux" || !existsSync(python)) return;
  const warm = await startWarmPython(python);
  project.provide("warmPython", warm.python);
  project.provide("coldPython", python);
  return warm.stop;
}
