import { rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type FakePython, failure, fakePython, goodMachine } from "./fake-machine.js";

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
