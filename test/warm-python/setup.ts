/**
 * Vitest's global set-up: a user's configuration that is nobody's, and one Python that has imported what takes seconds,
 * for the tests that are not about its start.
 */
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
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

export default async function setUp(project: TestProject): Promise<() => Promise<void>> {
  const forget = haveOwnConfiguration();
  const stop = await warmUp(project);
  return async () => {
    await stop?.();
    forget();
  };
}

/** Tests neither use nor change the token, the keys and the trusted files of whoever runs them. */
function haveOwnConfiguration(): () => void {
  const directory = mkdtempSync(join(tmpdir(), "ibatch-config-"));
  process.env.XDG_CONFIG_HOME = directory;
  delete process.env.IBATCH_KEYS;
  delete process.env.IBATCH_TOKEN;
  return () => rmSync(directory, { recursive: true, force: true });
}

async function warmUp(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  project.provide("warmPython", null);
  project.provide("coldPython", null);
  const python = process.env.IBATCH_PYTHON ?? join(packageRoot, ".venv/bin/python");
  if (process.platform !== "linux" || !existsSync(python)) return;
  const warm = await startWarmPython(python);
  project.provide("warmPython", warm.python);
  project.provide("coldPython", python);
  return warm.stop;
}
