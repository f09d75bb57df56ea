import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, onTestFinished, test, vi } from "vitest";
import { findPython } from "../../src/process/find-python.js";
import { mistake } from "../mistake.js";

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

test.skipIf(process.platform === "win32")("an environment's folder stands for its interpreter", () => {
  const folder = mkdtempSync(join(tmpdir(), "ibatch-venv-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  expect(mistake(() => findPython(folder), "surroundings")).toBe(
    `--python ${folder}: expected an interpreter or an environment, and there is no ${folder}/bin/python`,
  );
  mkdirSync(join(folder, "bin"));
  writeFileSync(join(folder, "bin", "python"), "");
  expect(findPython(folder)).toBe(join(folder, "bin", "python"));
});

test.skipIf(process.platform === "win32")("an environment whose interpreter is a link that leads nowhere", () => {
  const folder = mkdtempSync(join(tmpdir(), "ibatch-venv-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  mkdirSync(join(folder, "bin"));
  symlinkSync("/nowhere/python3", join(folder, "bin", "python"));
  expect(mistake(() => findPython(folder), "surroundings")).toBe(
    `no Python for the backend: ${folder}/bin/python is a link to /nowhere/python3, which is not there or may not be ` +
      "read: name another one with --python",
  );
});
