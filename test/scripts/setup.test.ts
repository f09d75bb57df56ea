import { existsSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { checkNode, takePython } from "../../scripts/setup.mjs";
import { fakeNpm, goodMachine } from "./fake-machine.js";

describe("a fresh clone", () => {
  test("is set up in four steps, each of them a line", async () => {
    const machine = goodMachine();
    const { python } = await machine.setUp();
    expect(python).toBe(join(machine.root, ".venv", "bin", "python"));
    const lines = machine.said.join("").replace(/\d+\.\d s/g, "N s");
    expect(lines).toBe(
      "set-up: installing npm packages … N s\n" +
        "set-up: compiling TypeScript … N s\n" +
        "set-up: compiling the kernels … N s\n" +
        "set-up: installing Python packages into .venv (PyTorch is large) … N s\n",
    );
    expect(statSync(join(machine.root, "dist/cli/main.js")).mode & 0o111).toBe(0o111);
  });

  test("starts no process and says nothing the second time", async () => {
    const machine = goodMachine();
    const first = await machine.setUp({ dev: true });
    machine.started.length = 0;
    machine.said.length = 0;
    expect(await machine.setUp({ dev: true })).toEqual(first);
    expect(await machine.setUp()).toEqual(first);
    expect(machine.started).toEqual([]);
    expect(machine.said).toEqual([]);
  });

  test("keeps all that the tools printed in the log", async () => {
    const machine = goodMachine();
    machine.addTool("npm", `echo added 66 packages\n${fakeNpm()}`);
    await machine.setUp();
    const log = readFileSync(join(machine.root, ".setup/log.txt"), "utf8");
    expect(log).toMatch(/\$ npm ci .*\nadded 66 packages\n/);
    expect(log).toContain("-m pip install");
  });
});

describe("afterwards, only what changed is done again", () => {
  const change: [string, (root: string) => void, RegExp[]][] = [
    ["another lock", (root) => touch(root, "package-lock.json", "{ }"), [/npm ci/, /tsc/, /asc/]],
    ["an edited source", (root) => touch(root, "src/cli/main.ts", "process.exitCode = 1;\n"), [/tsc/]],
    ["a new source", (root) => touch(root, "src/cli/run.ts", ""), [/tsc/]],
    ["a source that is older but not the same", (root) => utimesSync(join(root, "src/cli/main.ts"), 1, 1), [/tsc/]],
    ["other compiler options", (root) => touch(root, "tsconfig.json", "{ }"), [/tsc/]],
    ["dist deleted", (root) => rmSync(join(root, "dist"), { recursive: true }), [/tsc/, /asc/]],
    ["an edited kernel", (root) => touch(root, "assembly/index.ts", "export {};\n"), [/asc/]],
    ["other requirements", (root) => touch(root, "requirements.txt", "scipy==3\n"), [/pip install/]],
    [
      "other requirements of the backend",
      (root) => touch(root, "requirements-backend.txt", "torch==3\n"),
      [/pip install/],
    ],
    [
      "node_modules deleted",
      (root) => rmSync(join(root, "node_modules"), { recursive: true }),
      [/npm ci/, /tsc/, /asc/],
    ],
  ];

  test.each(change)("%s", async (_title, act, expected) => {
    const machine = goodMachine();
    await machine.setUp();
    machine.started.length = 0;
    act(machine.root);
    await machine.setUp();
    const work = machine.started.filter((line) => /npm ci|bin\/tsc|bin\/asc|pip install/.test(line));
    expect(work).toHaveLength(expected.length);
    for (const [i, pattern] of expected.entries()) expect(work[i]).toMatch(pattern);
  });

  test("what was compiled from a source that is gone goes too", async () => {
    const machine = goodMachine();
    machine.write("src/orders/old.ts", "");
    await machine.setUp();
    rmSync(join(machine.root, "src/orders/old.ts"));
    await machine.setUp();
    expect(existsSync(join(machine.root, "dist/orders/old.js"))).toBe(false);
    expect(existsSync(join(machine.root, "dist/cli/main.js"))).toBe(true);
  });

  test("the tests' own packages are added when they are first asked for", async () => {
    const machine = goodMachine();
    await machine.setUp();
    await machine.setUp({ dev: true });
    expect(machine.started.at(-1)).toMatch(/pip install .*-r requirements-dev\.txt$/);
  });
});

test.each(["18.20.4", "20.18.3"])("Node %s is too old", (version) => {
  expect(() => checkNode(version)).toThrow(`Node ${version} is too old. Expected: Node 20.19 or newer.`);
});

test.each(["20.19.0", "22.0.0", "24.1.0"])("Node %s will do", (version) => {
  expect(() => checkNode(version)).not.toThrow();
});

test("--python is taken from anywhere in the arguments", () => {
  expect(takePython(["--json", "--python", "p", "--seeds", "1"])).toEqual({
    python: "p",
    rest: ["--json", "--seeds", "1"],
  });
  expect(takePython(["--python=/a b/python"])).toEqual({ python: "/a b/python", rest: [] });
  expect(takePython(["--json"])).toEqual({ python: undefined, rest: ["--json"] });
  expect(() => takePython(["--python"])).toThrow("--python names nothing. Expected: --python PATH.");
});

function touch(root: string, path: string, text: string): void {
  writeFileSync(join(root, path), text);
}
