import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { configReference } from "../../src/config/config-reference.js";
import { openChosenBackend } from "../../src/launch/chosen-backend.js";
import { packageRoot } from "../../src/package-root.js";
import { warmPython } from "../warm-python/python.js";

it("docs/CONFIG.md is what `npm run docs` would write", async () => {
  const backend = await openChosenBackend(
    { device: "cpu", python: warmPython },
    { signal: new AbortController().signal },
  );
  try {
    const committed = readFileSync(join(packageRoot, "docs/CONFIG.md"), "utf8");
    expect(committed).toBe(configReference(backend.client.introduction.catalogue));
  } finally {
    await backend.stop();
  }
});
