// `ibatch run --ray` with all that is ours, and this machine in the place of a cluster: Ray itself is tried by `npm run nightly`.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { differencesFrom, recordedIn } from "../../chaos/recorded.mjs";
import { packageRoot } from "../../src/package-root.js";
import { fakePython } from "../process/fake-python.js";
import { warmPython } from "../warm-python/python.js";
import { ibatch, Scratch, smallConfig, startIbatch } from "./ibatch.js";
import { tableOf } from "./recorded-bytes.js";

const scratch = new Scratch();
let config = "";
let undisturbed: Map<string, string>;

/** A Python that runs `local_placing.py` where py_ray is wanted; and where that looks for what is to happen. */
function withPlacing(name: string): { readonly python: string; readonly signs: string } {
  const signs = scratch.path(name);
  mkdirSync(signs);
  const script = join(packageRoot, "test/e2e/placed/local_placing.py");
  const wanted = `case "$*" in *py_ray*) exec '${warmPython}' '${script}' '${signs}';; esac`;
  return { python: fakePython(signs, wanted, `exec '${warmPython}' "$@"`), signs };
}

const run = (out: string, python: string, ...args: string[]) =>
  startIbatch(["run", config, "--out", scratch.path(out), "--ray", "auto", ...args], { IBATCH_PYTHON: python });

/** Statistics and table are made of seconds, too. */
const differences = (out: string) =>
  differencesFrom(undisturbed, scratch.path(out)).filter((line) => !/^(statistics\.json|table\.md) /.test(line));

const backends = (signs: string): string[] =>
  execFileSync("ps", ["-eo", "args"], { encoding: "utf8" })
    .split("\n")
    .filter((line) => line.includes(signs));

beforeAll(async () => {
  config = scratch.write("small.yaml", `${smallConfig}checkpoint: { leastSeconds: 0 }\n`);
  const { code } = await ibatch(["run", config, "--out", scratch.path("undisturbed")]);
  expect(code).toBe(0);
  undisturbed = recordedIn(scratch.path("undisturbed"));
});

afterAll(() => scratch.remove());

test("backends that are placed give the records of one that is started, and nothing is left", async () => {
  const { python, signs } = withPlacing("two-signs");
  const { code, stderr } = await run("two", python, "--jobs", "2").ended;
  expect({ code, stderr }).toEqual({ code: 0, stderr: expect.any(String) });
  expect(differences("two")).toEqual([]);
  expect(tableOf(scratch.path("two"))).toBe(tableOf(scratch.path("undisturbed")));
  expect(backends(signs)).toEqual([]);
});

test("a run whose node is lost goes on at another, from its checkpoint, to the same bits", async () => {
  const { python, signs } = withPlacing("lost-signs");
  const out = scratch.path("lost");
  const { ended } = run("lost", python);
  const hasCheckpoint = () =>
    existsSync(out) &&
    readdirSync(out, { recursive: true, encoding: "utf8" }).some((path) => /manifest\.json$/.test(path));
  await expect.poll(hasCheckpoint, { interval: 10 }).toBe(true);
  writeFileSync(join(signs, "node-dies"), "");
  const { code, stderr } = await ended;
  expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringContaining("is lost: it died") });
  expect(differences("lost")).toEqual([]);
});

test("one that waits for room says for what, and goes when it is there", async () => {
  const { python, signs } = withPlacing("busy-signs");
  const busy = join(signs, "busy");
  writeFileSync(busy, "");
  const { child, ended } = run("busy", python);
  let said = "";
  child.stderr?.on("data", (text: string) => {
    said += text;
  });
  await expect.poll(() => said).toContain("waiting for {CPU: 1}; free in the cluster: {CPU: 0 of 2}");
  rmSync(busy);
  expect((await ended).code).toBe(0);
  expect(differences("busy")).toEqual([]);
});

test("what this machine could never hold is an error in one line", async () => {
  const { python } = withPlacing("much-signs");
  const { code, stderr } = await run("much", python, "--set", "backend.resources.cpus=64").ended;
  expect(code).toBe(4);
  expect(stderr.trim()).toMatch(/^ibatch: no node of the cluster has \{CPU: 64\}.*$/);
});

test("without Ray the command says what to install, and for which Python", async () => {
  const python = process.env.IBATCH_PYTHON ?? join(packageRoot, ".venv/bin/python");
  scratch.write("modules/ray.py", "raise ImportError('no ray here')\n");
  const env = { IBATCH_PYTHON: python, PYTHONPATH: scratch.path("modules") };
  const { code, stderr } = await ibatch(["run", config, "--out", scratch.path("missing"), "--ray", "auto"], env);
  expect(code).toBe(4);
  const requirements = join(packageRoot, "requirements-ray.txt");
  expect(stderr.trim()).toMatch(/^ibatch: Ray cannot be imported by .*$/);
  expect(stderr).toContain(`-m pip install -r ${requirements}`);
  expect(readFileSync(requirements, "utf8")).toMatch(/^ray==/m);
});
