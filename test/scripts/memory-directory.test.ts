import { chmodSync, mkdirSync, readdirSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { makeMemoryDirectory } from "../../scripts/memory-directory.mjs";
import { temporaryDirectory } from "../experiment/scene.js";

describe("makeMemoryDirectory", () => {
  test("makes an empty one where there is room, for this user alone", () => {
    const parent = temporaryDirectory();
    const made = makeMemoryDirectory(parent, 1) ?? "";
    expect(dirname(made)).toBe(parent);
    expect(readdirSync(made)).toEqual([]);
    expect(statSync(made).mode & 0o777).toBe(0o700);
  });

  test("makes none where there is no room, or no such place, and leaves nothing", () => {
    const parent = temporaryDirectory();
    expect(makeMemoryDirectory(parent, Number.POSITIVE_INFINITY)).toBeUndefined();
    expect(makeMemoryDirectory(join(parent, "none"), 1)).toBeUndefined();
    expect(readdirSync(parent)).toEqual([]);
  });

  test.skipIf(process.getuid?.() === 0)("makes none where it may not write", () => {
    const parent = join(temporaryDirectory(), "closed");
    mkdirSync(parent);
    chmodSync(parent, 0o500);
    expect(makeMemoryDirectory(parent, 1)).toBeUndefined();
  });
});
