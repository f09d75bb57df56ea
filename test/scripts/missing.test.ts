import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type FakePython, fails, failure, fakeMachine, fakeNpm, fakePython, goodMachine } from "./fake-machine.js";

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
