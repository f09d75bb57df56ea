import { spawnSync } from "node:child_process";
import fs, { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { makeMemoryDirectory } from "../../scripts/memory-directory.mjs";
import { packageRoot } from "../../src/package-root.js";
import { temporaryDirectory } from "../experiment/scene.js";

describe("makeMemoryDirectory", () => {
  test("makes one where there is room, which others may pass through alone", () => {
    const parent = temporaryDirectory();
    const made = makeMemoryDirectory(parent, 1) ?? "";
    expect(dirname(made)).toBe(parent);
    expect(readdirSync(made)).toEqual([".owner"]);
    expect(statSync(made).mode & 0o777).toBe(0o711);
    expect(basename(made)).toMatch(/^ib-\w{6}$/); // sockets of tests lie below it
  });

  /** By a process that ends as the lines say. */
  const makeIn = (parent: string, lines: string) => {
    const module = pathToFileURL(join(packageRoot, "scripts/memory-directory.mjs")).href;
    const program = `import { makeMemoryDirectory } from ${JSON.stringify(module)};
      process.stdout.write(makeMemoryDirectory(${JSON.stringify(parent)}, 1));
      ${lines}`;
    return spawnSync(process.execPath, ["--input-type=module", "-e", program], { encoding: "utf8" }).stdout;
  };

  test.each(["", "process.exit(3);", "throw new Error();"])("one goes with its process: %s", (lines) => {
    const parent = temporaryDirectory();
    expect(dirname(makeIn(parent, lines))).toBe(parent);
    expect(readdirSync(parent)).toEqual([]);
  });

  test.skipIf(process.platform !== "linux")(
    "removes those of processes that were killed, also where another has their number, and no others",
    () => {
      const parent = temporaryDirectory();
      const own = makeMemoryDirectory(parent, 1) ?? "";
      const killed = makeIn(parent, "process.kill(process.pid, 'SIGKILL');");
      const [place, pid, start] = readFileSync(join(own, ".owner"), "utf8").split(" ");
      const owners = {
        "ib-reused": `${place} ${pid} ${Number(start) - 1}`,
        "ib-elsewhere": readFileSync(join(killed, ".owner"), "utf8").replace(place, "none"),
        "of-another": readFileSync(join(killed, ".owner"), "utf8"),
      };
      for (const [name, owner] of Object.entries(owners)) {
        mkdirSync(join(parent, name));
        writeFileSync(join(parent, name, ".owner"), owner);
      }
      mkdirSync(join(parent, "ib-unowned"));
      expect(readdirSync(parent)).toHaveLength(6);
      const next = makeMemoryDirectory(parent, 1) ?? "";
      const left = [basename(own), basename(next), "ib-elsewhere", "ib-unowned", "of-another"];
      expect(readdirSync(parent).sort()).toEqual(left.sort());
    },
  );

  test("removes old ones that nobody has called his own, too", () => {
    const parent = temporaryDirectory();
    const hoursAgo = Date.now() / 1000 - 2 * 3600;
    for (const name of ["ib-new", "ib-old", "of-another"]) {
      mkdirSync(join(parent, name));
      if (name !== "ib-new") utimesSync(join(parent, name), hoursAgo, hoursAgo);
    }
    const made = makeMemoryDirectory(parent, 1) ?? "";
    expect(readdirSync(parent).sort()).toEqual([basename(made), "ib-new", "of-another"].sort());
  });

  test("leaves none that cannot be called its own", () => {
    const parent = temporaryDirectory();
    const write = vi.spyOn(fs, "writeFileSync").mockImplementation(() => {
      throw new Error("no room");
    });
    onTestFinished(() => write.mockRestore());
    expect(makeMemoryDirectory(parent, 1)).toBeUndefined();
    expect(write).toHaveBeenCalledOnce();
    expect(readdirSync(parent)).toEqual([]);
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
