import { existsSync, readFileSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { SetupError } from "../../scripts/setup/failures.mjs";
import { checkNode, takePython } from "../../scripts/setup.mjs";
import { type FakePython, fails, fakeMachine, fakeNpm, fakePython, goodMachine } from "./fake-machine.js";

describe("a fresh clone", () => {
  test("is set up in three steps, each of them a line", async () => {
    const machine = goodMachine();
    const { python } = await machine.setUp();
    expect(python).toBe(join(machine.root, ".venv", "bin", "python"));
    const lines = machine.said.join("").replace(/\d+\.\d s/g, "N s");
    expect(lines).toBe(
      "set-up: installing npm packages … N s\n" +
        "set-up: compiling TypeScript … N s\n" +
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
    ["another lock", (root) => touch(root, "package-lock.json", "{ }"), [/npm ci/, /tsc/]],
    ["an edited source", (root) => touch(root, "src/cli/main.ts", "process.exitCode = 1;\n"), [/tsc/]],
    ["a new source", (root) => touch(root, "src/cli/run.ts", ""), [/tsc/]],
    ["a source that is older but not the same", (root) => utimesSync(join(root, "src/cli/main.ts"), 1, 1), [/tsc/]],
    ["other compiler options", (root) => touch(root, "tsconfig.json", "{ }"), [/tsc/]],
    ["dist deleted", (root) => rmSync(join(root, "dist"), { recursive: true }), [/tsc/]],
    ["other requirements", (root) => touch(root, "requirements.txt", "torch==3\n"), [/pip install/]],
    ["node_modules deleted", (root) => rmSync(join(root, "node_modules"), { recursive: true }), [/npm ci/, /tsc/]],
  ];

  test.each(change)("%s", async (_title, act, expected) => {
    const machine = goodMachine();
    await machine.setUp();
    machine.started.length = 0;
    act(machine.root);
    await machine.setUp();
    const work = machine.started.filter((line) => /npm ci|bin\/tsc|pip install/.test(line));
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

describe("a .venv that was left half-made", () => {
  const leave = async (act: (venv: string) => void, python: FakePython = {}) => {
    const machine = goodMachine();
    await machine.setUp();
    machine.addTool("python3", fakePython());
    act(join(machine.root, ".venv"));
    rmSync(join(machine.root, ".venv", ".ibatch-stamp"), { force: true });
    if (python.pipVersion) machine.write(".venv/bin/python", `#!/bin/sh\n${fakePython(python)}`);
    machine.started.length = 0;
    await machine.setUp();
    return machine.started.map((line) => line.match(/-m (venv|pip install|ensurepip)/)?.[1]).filter(Boolean);
  };

  test("by a pip that was interrupted: installs again", async () => {
    expect(await leave(() => {})).toEqual(["pip install"]);
  });

  test("without an interpreter: makes it anew", async () => {
    expect(await leave((venv) => rmSync(join(venv, "bin/python")))).toEqual(["venv", "pip install"]);
  });

  test("with an interpreter that has moved away: makes it anew", async () => {
    const dangle = (venv: string) => {
      rmSync(join(venv, "bin/python"));
      symlinkSync("/no/such/python", join(venv, "bin/python"));
    };
    expect(await leave(dangle)).toEqual(["venv", "pip install"]);
  });

  test("before it was marked as an environment: makes it anew, and does not install into the system", async () => {
    expect(await leave((venv) => rmSync(join(venv, "pyvenv.cfg")))).toEqual(["venv", "pip install"]);
  });

  test("without pip: gives it pip", async () => {
    const python = { pipVersion: "false", ensurepip: "true" };
    expect(await leave(() => {}, python)).toEqual(["ensurepip", "pip install"]);
  });

  test("without pip, which it cannot be given: makes it anew", async () => {
    const python = { pipVersion: "false", ensurepip: "false" };
    expect(await leave(() => {}, python)).toEqual(["ensurepip", "venv", "pip install"]);
  });

  test("with a Python outside the range is left alone", async () => {
    const machine = goodMachine();
    machine.write(".venv/pyvenv.cfg", "version = 3.9.18\n");
    machine.write(".venv/bin/python", `#!/bin/sh\n${fakePython({ version: "3.9.18" })}`, 0o755);
    await expect(failure(machine.setUp())).resolves.toMatch(
      /\.venv has Python 3\.9\.18\. Expected: Python 3\.10 to 3\.13\./,
    );
  });
});

describe("what a machine may lack is one line each, with exit code 4", () => {
  const pythonThat = (python: FakePython) => () => {
    const machine = goodMachine();
    machine.addTool("python3", fakePython(python));
    return machine;
  };
  const npmThat = (script: string) => () => {
    const machine = goodMachine();
    machine.addTool("npm", script);
    return machine;
  };

  const cases: [string, () => ReturnType<typeof fakeMachine>, RegExp][] = [
    [
      "no npm",
      () => fakeMachine(),
      /^npm could not be started \(ENOENT\)\. Expected: npm on the PATH\. Install it and run this again\./,
    ],
    [
      "no network for npm",
      npmThat(
        "echo 'npm http fetch GET x attempt 1 failed with EAI_AGAIN'\necho 'npm http fetch GET x attempt 2 failed with EAI_AGAIN'\nexec sleep 60",
      ),
      /^no network for npm: it could not reach its package registry \(.*EAI_AGAIN\)\. Expected: .*npm's settings\./,
    ],
    [
      "no Python",
      () => {
        const machine = fakeMachine();
        machine.addTool("npm", fakeNpm());
        return machine;
      },
      /^no Python found \(looked for python3\.13, .*, python3, python\)\. Expected: Python 3\.10 to 3\.13\. Install one, or name/,
    ],
    ["a Python that is a shim with nothing behind it", npmThatAndPython("exit 127"), /^no Python found/],
    [
      "a Python too old",
      pythonThat({ version: "3.9.18" }),
      /^found only Python 3\.9\.18 \(python3\)\. Expected: Python 3\.10 to/,
    ],
    [
      "a Python too new",
      pythonThat({ version: "3.14.0" }),
      /^found only Python 3\.14\.0 \(python3\)\. Expected: .* to 3\.13\./,
    ],
    [
      "a Python without venv",
      pythonThat({ hasVenv: false }),
      /^Python 3\.11\.7 \(python3\) has no venv module, .* apt install python3\.11-venv\)/,
    ],
    [
      "a venv that fails",
      pythonThat({
        venv: fails("The virtual environment was not created successfully because ensurepip is not available."),
      }),
      /^this Python cannot make an environment \(.*ensurepip is not available\.\)\. Expected: the modules/,
    ],
    [
      "no network for pip",
      pythonThat({
        pip: fails(
          "WARNING: Retrying (x) 'NewConnectionError'\nERROR: No matching distribution found (from versions: none)",
        ),
      }),
      /^no network for pip: it could not reach its package registry/,
    ],
    [
      "a full disk",
      pythonThat({ pip: fails("ERROR: [Errno 28] No space left on device") }),
      /^the disk is full for pip \(ERROR: \[Errno 28\] No space left on device\): [\d.]+ GB free in .* Expected: .* TMPDIR/,
    ],
    ["no memory", pythonThat({ pip: "kill -9 $$" }), /^pip was ended by SIGKILL, as systems do when memory runs out/],
    [
      "anything else",
      pythonThat({ pip: fails("ERROR: odd", 3) }),
      /^pip failed with exit code 3 \(ERROR: odd\)\. Expected: no error\. Mend what it names and run this again\./,
    ],
  ];

  test.each(cases)("%s", async (_title, make, expected) => {
    const machine = make();
    const message = await failure(machine.setUp());
    expect(message).toMatch(expected);
    expect(message).not.toContain("\n");
    const log = message.match(/All that .* said: (.*)$/)?.[1];
    if (log) expect(existsSync(log)).toBe(true);
  });

  function npmThatAndPython(script: string) {
    return () => {
      const machine = goodMachine();
      machine.addTool("python3", script);
      return machine;
    };
  }

  test("after it is mended, set-up goes on where it stopped", async () => {
    const machine = pythonThat({ pip: fails("ERROR: odd") })();
    await failure(machine.setUp());
    machine.addTool("python3", fakePython());
    rmSync(join(machine.root, ".venv"), { recursive: true });
    machine.started.length = 0;
    await machine.setUp();
    expect(machine.started.filter((line) => /npm|tsc/.test(line))).toEqual([]);
  });

  test("a place that cannot be written to", async () => {
    const machine = goodMachine();
    machine.write(".setup", "a file where set-up wants a folder");
    const message = await failure(machine.setUp());
    expect(message).toMatch(
      /^set-up failed \(EEXIST: .*\.setup'\)\. Expected: no error\. Mend what it names and run this again\.$/,
    );
  });

  test("a source that does not compile is a fault of ours: exit code 1", async () => {
    const machine = goodMachine();
    machine.write("src/cli/main.ts", "not typescript");
    const message = await failure(machine.setUp(), 1);
    expect(message).toMatch(
      /^tsc found 1 error\(s\), the first: src\/cli\/main\.ts\(1,1\): error TS1434: .* All of them: .*log\.txt$/,
    );
  });
});

describe("the first Python that fits is taken", () => {
  test("past those too old, too new, broken, or without venv", async () => {
    const machine = goodMachine();
    machine.addTool("python3.13", "exit 127");
    machine.addTool("python3.12", fakePython({ version: "3.12.1", hasVenv: false }));
    machine.addTool("python3", fakePython({ version: "3.9.18" }));
    machine.addTool("python", fakePython({ version: "3.10.13" }));
    await machine.setUp();
    expect(machine.started.find((line) => line.includes("-m venv"))).toMatch(/^python -m venv/);
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

async function failure(work: Promise<unknown>, exitCode = 4): Promise<string> {
  const error = await work.then(
    () => null,
    (reason) => reason,
  );
  expect(error).toBeInstanceOf(SetupError);
  expect(error.exitCode).toBe(exitCode);
  return error.message;
}
