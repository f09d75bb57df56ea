import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from "vitest";
import { ownerOf } from "../../src/record/owner.js";

let base = "";
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), "ibatch-owner-"));
  vi.stubEnv("XDG_STATE_HOME", join(base, "state"));
  for (const name of ["a", "b"]) mkdirSync(join(base, name));
  onTestFinished(() => rmSync(base, { recursive: true, force: true }));
});
afterEach(() => {
  vi.unstubAllEnvs();
});

const secretFile = () => join(base, "state", "ibatch", "owner");

test("a directory has one owner, by whatever path, and another directory another", () => {
  symlinkSync(join(base, "a"), join(base, "link"));
  const owner = ownerOf(join(base, "a"));
  expect(ownerOf(join(base, "link"))).toBe(owner);
  expect(ownerOf(join(base, "b"))).not.toBe(owner);
});

test("only the user can read what it follows from, and it does not tell that", () => {
  const owner = ownerOf(join(base, "a"));
  expect(statSync(secretFile()).mode & 0o777).toBe(0o600);
  expect(owner).not.toContain(readFileSync(secretFile(), "utf8"));
});

test("another user is another owner", () => {
  const owner = ownerOf(join(base, "a"));
  vi.stubEnv("XDG_STATE_HOME", join(base, "other"));
  expect(ownerOf(join(base, "a"))).not.toBe(owner);
});

test("a secret that is half written is made anew", () => {
  ownerOf(join(base, "a"));
  writeFileSync(secretFile(), "0123");
  expect(ownerOf(join(base, "a"))).toBe(ownerOf(join(base, "a")));
});

test("where there is no place for a secret, each command is another owner", () => {
  writeFileSync(join(base, "state"), "in the way");
  chmodSync(join(base, "state"), 0o400);
  expect(ownerOf(join(base, "a"))).not.toBe(ownerOf(join(base, "a")));
});
