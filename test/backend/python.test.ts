import { join } from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import { findPython } from "../../src/backend/python.js";

afterEach(() => vi.unstubAllEnvs());

test.each([
  [
    "a path is absolute, since the backend starts in another directory",
    "env/bin/python",
    join(process.cwd(), "env/bin/python"),
  ],
  ["also one that begins with a dot", "./python", join(process.cwd(), "python")],
  ["an absolute one stays", "/usr/bin/python3", "/usr/bin/python3"],
  ["a name alone is looked up in PATH", "python3", "python3"],
])("%s", (_, given, expected) => {
  expect(findPython(given)).toBe(expected);
  vi.stubEnv("IBATCH_PYTHON", given);
  expect(findPython(undefined)).toBe(expected);
});
