import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { withProjectFile } from "../../src/cli/project.js";
import { ibatch } from "./run-main.js";

/** `.ibatch.yaml`, and what it may say. */

const KNOWN = ["data", "python", "backend", "allowImport", "pythonPath"];
const before = process.cwd();
let directory: string;

beforeEach(() => {
  directory = realpathSync(mkdtempSync(join(tmpdir(), "ibatch-project-")));
  process.chdir(directory);
  vi.stubEnv("XDG_CONFIG_HOME", join(directory, "config"));
  vi.stubEnv("IBATCH_DATA", undefined);
  vi.stubEnv("IBATCH_PYTHON", undefined);
});
afterEach(() => {
  process.chdir(before);
  rmSync(directory, { recursive: true });
  vi.unstubAllEnvs();
});

async function complete(given: Record<string, unknown>, known = KNOWN) {
  const write = vi.spyOn(process.stderr, "write").mockReturnValue(true);
  const options = await withProjectFile(given, known);
  const said = write.mock.calls.map(([text]) => String(text));
  write.mockRestore();
  return { options, said };
}

const ALL = "data: /data\npython: env\npythonPath: [src]\nallowImport: [team]\n";
const LEFT_OUT =
  "ibatch: .ibatch.yaml also says --python env --python-path src --allow-import team, which runs code and is left out: " +
  "read it, then `ibatch trust`\n";

test("without the file options are as they were typed, and nothing is said", async () => {
  expect(await complete({ data: "x" })).toEqual({ options: { data: "x" }, said: [] });
});

test("what runs no code is taken and said; what runs code is not, until the file is trusted", async () => {
  writeFileSync(".ibatch.yaml", ALL);
  expect(await complete({})).toEqual({
    options: { data: "/data" },
    said: ["ibatch: .ibatch.yaml gives --data /data\n", LEFT_OUT],
  });
  const trusted = await ibatch("trust");
  expect(trusted).toEqual({
    code: 0,
    stdout: `trusted as it is now: ${join(directory, ".ibatch.yaml")}, which gives --data /data --python env --python-path src --allow-import team\n`,
    stderr: "",
  });
  expect(await complete({})).toEqual({
    options: { data: "/data", python: "env", pythonPath: ["src"], allowImport: ["team"] },
    said: ["ibatch: .ibatch.yaml gives --data /data --python env --python-path src --allow-import team\n"],
  });
});

test("a file that changed is trusted no more; nor is its copy elsewhere", async () => {
  writeFileSync(".ibatch.yaml", "allowImport: [team]\n");
  await ibatch("trust");
  writeFileSync(".ibatch.yaml", "allowImport: [os]\n");
  expect((await complete({})).options).toEqual({});
  writeFileSync(".ibatch.yaml", "allowImport: [team]\n");
  expect((await complete({})).options).toEqual({ allowImport: ["team"] });
  const text = readFileSync(".ibatch.yaml");
  const other = mkdtempSync(join(tmpdir(), "ibatch-project-"));
  process.chdir(other);
  writeFileSync(".ibatch.yaml", text);
  expect((await complete({})).options).toEqual({});
  process.chdir(directory);
  rmSync(other, { recursive: true });
});

test("the command line comes first, then the environment", async () => {
  writeFileSync(".ibatch.yaml", ALL);
  await ibatch("trust");
  vi.stubEnv("IBATCH_DATA", "/theirs");
  vi.stubEnv("IBATCH_PYTHON", "python3");
  expect((await complete({ allowImport: ["mine"] })).options).toEqual({ allowImport: ["mine"], pythonPath: ["src"] });
});

test("a backend that runs already has code and Python of its own", async () => {
  writeFileSync(".ibatch.yaml", ALL);
  await ibatch("trust");
  const { options } = await complete({ backend: "tcp://127.0.0.1:1" });
  expect(options).toEqual({ backend: "tcp://127.0.0.1:1", data: "/data" });
});

test("a command takes only the options that it has", async () => {
  writeFileSync(".ibatch.yaml", ALL);
  expect(await complete({}, ["out"])).toEqual({ options: {}, said: [] });
});

test("a mistake in it is named with its line", async () => {
  writeFileSync(".ibatch.yaml", "data: /data\nallowImports: [team]\n");
  expect(await ibatch("list", "models")).toMatchObject({
    code: 2,
    stderr: "ibatch: .ibatch.yaml:2: allowImports: unknown key; did you mean `allowImport`?\n",
  });
});

test("`ibatch trust` where there is none", async () => {
  expect(await ibatch("trust")).toMatchObject({
    code: 2,
    stderr: "ibatch: .ibatch.yaml: there is no such file in this directory\n",
  });
});
