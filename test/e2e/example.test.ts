import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { packageRoot } from "../../src/package-root.js";
import { warmPython } from "../warm-python/python.js";
import { ibatch, Scratch } from "./ibatch.js";

/** The example project as a user has it: in a folder of its own, with this package among its modules. */

const scratch = new Scratch();
const project = scratch.path("own-order");
afterAll(() => scratch.remove());

beforeAll(() => {
  cpSync(join(packageRoot, "examples/own-order"), project, { recursive: true });
  const link = (name: string, target: string) => {
    const path = join(project, "node_modules", name);
    mkdirSync(dirname(path), { recursive: true });
    symlinkSync(target, path);
  };
  link("importance-batching", packageRoot);
  for (const name of ["typescript", "@types/node"]) link(name, join(packageRoot, "node_modules", name));
});

const node = (...args: string[]) =>
  spawnSync(process.execPath, args, {
    cwd: project,
    encoding: "utf8",
    env: { ...process.env, IBATCH_PYTHON: warmPython },
  });

it("its order keeps the laws, also where importance-batching is not installed beside it", async () => {
  const alone = scratch.write("alone/order.mjs", readFileSync(join(project, "easy-then-hard.mjs"), "utf8"));
  for (const file of [join(project, "easy-then-hard.mjs"), alone]) {
    const { code, stdout, stderr } = await ibatch(["order", "--check", file]);
    expect(stderr).toBe("");
    expect(stdout).toMatch(/^easy-then-hard keeps the laws of orders/);
    expect(code).toBe(0);
  }
});

it("its program compiles, runs, and finds the second epoch's first half easier than the second", () => {
  const compiled = node(join("node_modules", "typescript", "bin", "tsc"));
  expect(compiled.stdout).toBe("");
  expect(compiled.status).toBe(0);
  const { status, stdout, stderr } = node(join("build", "run.js"));
  expect(status, stderr).toBe(0);
  expect(stderr.match(/seed 0, epoch \d: \d+\.\d\d %/g)).toHaveLength(9);
  expect(stdout).toMatch(/\| easy-then-hard \|/);
  const [first, second] = [/first half: ([\d.]+)/, /second half: ([\d.]+)/].map((line) =>
    Number(line.exec(stdout)?.[1]),
  );
  expect(first).toBeLessThan(second);
  expect(existsSync(join(project, "runs"))).toBe(true);
}, 120_000);

it("is what the README shows", () => {
  const readme = readFileSync(join(packageRoot, "README.md"), "utf8");
  const shown = /```js\n([\s\S]*?)```/.exec(readme)?.[1];
  expect(shown).toBe(readFileSync(join(packageRoot, "examples/own-order/easy-then-hard.mjs"), "utf8"));
});
