import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { SetupError } from "../../scripts/setup/failures.mjs";
import { type FakeMachine, type FakePython, failure, fakeMachine, fakeNpm, fakePython } from "./fake-machine.js";

const RUN = {
  torch: { version: "2.8.0+cu128" },
  numpy: { version: "2.0.0" },
  zmq: { version: "26.0" },
  msgspec: { version: "0.18" },
  safetensors: { version: "0.5" },
  sklearn: { version: "1.5" },
  scipy: { version: "1.17" },
};
const DEV = { pytest: { version: "8" }, hypothesis: { version: "6" }, msgpack: { version: "1" } };

describe("an environment that a team has", () => {
  test("is checked by one process, and used; nothing is installed", async () => {
    const { machine, python } = team({ look: RUN });
    expect(await machine.setUp({ python })).toEqual({ python });
    expect(ofPython(machine)).toHaveLength(1);
    expect(ofPython(machine)[0]).not.toMatch(/-m (pip|venv|ensurepip)/);
  });

  test("is not asked the second time", async () => {
    const { machine, python } = team({ look: RUN });
    await machine.setUp({ python });
    machine.started.length = 0;
    await machine.setUp({ python });
    expect(machine.started).toEqual([]);
  });

  test("is asked again once something was installed into it", async () => {
    const { machine, python, sitePackages } = team({ look: RUN });
    await machine.setUp({ python });
    machine.started.length = 0;
    writeFileSync(join(sitePackages, "new"), "");
    await machine.setUp({ python });
    expect(ofPython(machine)).toHaveLength(1);
  });

  test("is asked again for the packages of the tests", async () => {
    const { machine, python } = team({ look: RUN });
    await machine.setUp({ python });
    machine.addTool("own/bin/python", "exit 9");
    await expect(machine.setUp({ python, dev: true })).rejects.toThrow(SetupError);
  });

  test("may be named by IBATCH_PYTHON; --python goes first", async () => {
    const { machine, python } = team({ look: RUN });
    machine.env.IBATCH_PYTHON = python;
    expect(await machine.setUp()).toEqual({ python });
    expect(await failure(machine.setUp({ python: "/no/such" }))).toMatch(
      /^--python names \/no\/such, which is not there\./,
    );
    machine.env.IBATCH_PYTHON = "/nor/this";
    expect(await failure(machine.setUp())).toMatch(/^IBATCH_PYTHON names \/nor\/this, which is not there\./);
  });

  test("may be named by its folder, or as a command on the PATH", async () => {
    const { machine, python } = team({ look: RUN });
    expect(await machine.setUp({ python: join(python, "..", "..") })).toEqual({ python });
    const command = machine.addTool("team-python", fakePython({ look: RUN }));
    expect(await machine.setUp({ python: "team-python" })).toEqual({ python: command });
  });
});

describe("an environment that will not do is refused with what is wrong and how to mend it", () => {
  const cases: [string, FakePython, boolean, RegExp][] = [
    [
      "no torch",
      { look: { ...RUN, torch: { fault: "missing" } } },
      false,
      /python \(Python 3\.11\.7\): torch missing\. Nothing was installed into it\. To mend it, run: ".*python" -m pip install "torch>=2\.8"$/,
    ],
    [
      "torch too old, others missing",
      { look: { ...RUN, torch: { version: "2.7.1" }, zmq: { fault: "missing" }, sklearn: { fault: "missing" } } },
      false,
      /: torch 2\.7\.1 is too old \(2\.8 or newer expected\); zmq missing; sklearn missing\. .* -m pip install "torch>=2\.8" pyzmq scikit-learn$/,
    ],
    [
      "a package that does not import",
      { look: { ...RUN, numpy: { fault: "does not import: libgomp.so.1: cannot open shared object file" } } },
      false,
      /: numpy does not import: libgomp\.so\.1: cannot open shared object file\. Nothing/,
    ],
    [
      "no pytest, for the tests",
      { look: { ...RUN, ...DEV, pytest: { fault: "missing" } } },
      true,
      /: pytest missing\./,
    ],
    [
      "Python too old",
      { version: "3.9.18", look: RUN },
      false,
      /python is Python 3\.9\.18\. Expected: Python 3\.10 to 3\.13\./,
    ],
  ];

  test.each(cases)("%s", async (_title, fake, dev, expected) => {
    const { machine, python } = team(fake);
    const message = await failure(machine.setUp({ python, dev }));
    expect(message).toMatch(expected);
    expect(message).not.toContain("\n");
  });

  test("something that is no Python", async () => {
    const { machine } = team({});
    const python = machine.addTool("calendar", "echo usage: calendar; exit 2");
    const message = await failure(machine.setUp({ python }));
    expect(message).toMatch(
      /calendar does not run as a Python \(exit code 2: usage: calendar\)\. Expected: Python 3\.10/,
    );
  });

  test("a failed check is not remembered", async () => {
    const { machine, python } = team({ look: { ...RUN, torch: { fault: "missing" } } });
    await failure(machine.setUp({ python }));
    machine.addTool("own/bin/python", fakePython({ look: RUN }));
    expect(await machine.setUp({ python })).toEqual({ python });
  });
});

/** A machine with no Python but that of the team, in an environment of its own. */
function team(fake: FakePython): { machine: FakeMachine; python: string; sitePackages: string } {
  const machine = fakeMachine();
  machine.addTool("npm", fakeNpm());
  const sitePackages = join(machine.root, "..", "site-packages");
  mkdirSync(sitePackages);
  const python = machine.addTool("own/bin/python", fakePython({ folders: [sitePackages], ...fake }));
  return { machine, python, sitePackages };
}

function ofPython(machine: FakeMachine): string[] {
  return machine.started.filter((line) => line.includes("ibatch-look"));
}
