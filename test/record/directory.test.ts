import { existsSync, mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { makeDirectory, removeEmpty } from "../../src/record/directory.js";
import { temporaryDirectory } from "../experiment/scene.js";
import { mistake } from "../mistake.js";

test("makes what is not there, and says what it made, the outermost first", () => {
  const base = temporaryDirectory();
  expect(makeDirectory(join(base, "a", "b", "c"))).toEqual([
    join(base, "a"),
    join(base, "a", "b"),
    join(base, "a", "b", "c"),
  ]);
  expect(statSync(join(base, "a", "b", "c")).isDirectory()).toBe(true);
  expect(makeDirectory(join(base, "a", "b"))).toEqual([]);
});

test("a link to a directory is one", () => {
  const [base, elsewhere] = [temporaryDirectory(), temporaryDirectory()];
  symlinkSync(elsewhere, join(base, "link"));
  expect(makeDirectory(join(base, "link"))).toEqual([]);
  makeDirectory(join(base, "link", "a"));
  expect(readdirSync(elsewhere)).toEqual(["a"]);
});

describe("refused in one line, and nothing is left of it:", () => {
  const told = (path: string, reason: string) =>
    `${reason}: ${path} cannot be written; mend that and give the same command again, or name another --out`;

  test("a file in the way", () => {
    const base = temporaryDirectory();
    writeFileSync(join(base, "file"), "mine");
    const path = join(base, "file", "x");
    expect(mistake(() => makeDirectory(path), "surroundings")).toBe(told(path, "there is a file in the way"));
    expect(mistake(() => makeDirectory(join(base, "file")), "surroundings")).toMatch("there is a file in the way");
  });

  test.each(["link", "link/x/y"])("a link that leads nowhere: %s", (name) => {
    const base = temporaryDirectory();
    symlinkSync("/nowhere/at/all", join(base, "link"));
    expect(mistake(() => makeDirectory(join(base, name)), "surroundings")).toBe(
      told(join(base, name), `${join(base, "link")} is a link to /nowhere/at/all, which is not there`),
    );
  });

  test("links in a circle", () => {
    const base = temporaryDirectory();
    symlinkSync("loop", join(base, "loop"));
    expect(mistake(() => makeDirectory(join(base, "loop", "x")), "surroundings")).toContain(join(base, "loop"));
  });

  test.skipIf(process.platform !== "linux").each(["/proc/ibatch", "/proc/ibatch/a/b"])(
    "a place where the system has none: %s",
    (path) => {
      expect(mistake(() => makeDirectory(path), "surroundings")).toBe(told(path, "no directory can be made in /proc"));
    },
  );

  test("a name that is too long, also where those above it could be made", () => {
    const base = temporaryDirectory();
    const path = join(base, "a", "x".repeat(300));
    expect(mistake(() => makeDirectory(path))).toBe(told(path, "the name is too long"));
    expect(existsSync(join(base, "a"))).toBe(false);
  });

  test("no name, and one with a NUL", () => {
    expect(mistake(() => makeDirectory(""))).toBe('--out "": expected the name of a directory');
    expect(mistake(() => makeDirectory("a\0b", "--data"))).toBe(
      '--data "a\\u0000b": a name cannot hold a NUL character',
    );
  });
});

test("only empty directories go again", () => {
  const base = temporaryDirectory();
  const made = makeDirectory(join(base, "a", "b", "c"));
  writeFileSync(join(base, "a", "mine"), "");
  removeEmpty(made);
  expect(readdirSync(base, { recursive: true }).sort()).toEqual(["a", join("a", "mine")]);
  mkdirSync(join(base, "x"));
  removeEmpty([join(base, "x"), join(base, "x", "gone")]);
  expect(existsSync(join(base, "x"))).toBe(true);
});
