import { spawnSync } from "node:child_process";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { ownEntry, packageRoot } from "../../src/package-root.js";

/** What is loaded before the work is: a person waits for it. */

const inline = (code: string): string => `data:text/javascript,${encodeURIComponent(code)}`;

const HOOK = inline(`
  import { writeSync } from "node:fs";
  export async function load(url, context, next) {
    writeSync(2, "loaded " + url + "\\n");
    return next(url, context);
  }`);
const REGISTER = inline(`import { register } from "node:module"; register(${JSON.stringify(HOOK)});`);

/** The files that Node loads, from this package's root. */
function loadedBy(...argv: readonly string[]): string[] {
  const { status, stderr } = spawnSync(process.execPath, ["--import", REGISTER, ...argv], { encoding: "utf8" });
  expect(status, stderr).toBe(0);
  return [...stderr.matchAll(/^loaded (file:.*)$/gm)].map(([, url]) => relative(packageRoot, fileURLToPath(url)));
}

const packagesOf = (files: readonly string[]): string[] => [
  ...new Set(files.flatMap((file) => /^node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1] ?? [])),
];

const MAIN = join(packageRoot, "dist", "cli", "main.js");

test.each(["--help", "--version", "run --help", "order --help"])("ibatch %s", (line) => {
  const files = loadedBy(MAIN, ...line.split(" "));
  expect(packagesOf(files)).toEqual(["commander"]);
  expect(files.length, files.join("\n")).toBeLessThan(50);
});

test.each(["orders", "batching", "schedules"])("ibatch list %s: no backend, and no record", (kind) => {
  const files = loadedBy(MAIN, "list", kind);
  expect(packagesOf(files)).toEqual(["commander", "zod"]);
  const beside = ["backend", "record", "page", "results"].map((folder) => `dist/${folder}/`);
  const loaded = files.filter((file) => beside.some((folder) => file.startsWith(folder)));
  expect(loaded.sort()).toEqual(["dist/record/disk-refusal.js", "dist/results/layout.js"]);
});

test("ibatch order of made-up samples: no backend", () => {
  const files = loadedBy(MAIN, "order", "shuffled");
  expect(packagesOf(files)).toEqual(["commander", "zod", "yaml"]);
  expect(files.filter((file) => file.startsWith("dist/backend/"))).toEqual([]);
});

test("import importance-batching, as each thread of a user's order does: nothing that drives a backend", () => {
  const files = loadedBy(ownEntry);
  expect(packagesOf(files)).toEqual(["zod"]);
  const folders = files.flatMap((file) => /^dist\/([a-z-]+)\//.exec(file)?.[1] ?? []);
  expect([...new Set(folders)].sort()).toEqual(["kernels", "launch", "orders", "record"]);
  expect(files.filter((file) => file.startsWith("dist/launch/"))).toEqual(["dist/launch/run-experiment.js"]);
});

test("what follows a user's imports runs in a thread of its own, and loads next to nothing", () => {
  const files = loadedBy(join(packageRoot, "dist", "order-files", "order-thread", "hooks.js"));
  expect(packagesOf(files)).toEqual([]);
  expect(files.length, files.join("\n")).toBeLessThan(10);
});
