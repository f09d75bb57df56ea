// The scripts as npm starts them: processes of their own, in a clone with fake tools.
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { copyScripts, type FakeMachine, fails, fakeNpm, fakePython, goodMachine } from "./fake-machine.js";

describe("setup", () => {
  test("by two at the same time installs once", async () => {
    const machine = clone();
    const counted = (script: string) => `echo "$*" >> "${machine.root}/started"; sleep 0.3\n${script}`;
    machine.addTool("npm", counted(fakeNpm()));
    machine.addTool("python3", counted(fakePython()));
    const both = await Promise.all([start(machine, "setup").ended, start(machine, "setup").ended]);
    expect(both.map(({ code }) => code)).toEqual([0, 0]);
    const started = readFileSync(join(machine.root, "started"), "utf8").split("\n");
    expect(started.filter((line) => line.startsWith("ci "))).toHaveLength(1);
    expect(started.filter((line) => line.includes("-m venv"))).toHaveLength(1);
  });

  test("goes past the lock of one that was killed", async () => {
    const machine = clone();
    machine.write(".setup/lock", "999999999");
    expect((await start(machine, "setup").ended).code).toBe(0);
  });

  test("says one line where something is missing, and exits with 4", async () => {
    const machine = clone();
    machine.addTool("python3", fakePython({ version: "3.9.18" }));
    const { code, stderr, stdout } = await start(machine, "setup", "--quiet").ended;
    expect(stderr).toMatch(/^set-up: found only Python 3\.9\.18 \(python3\)\. .*\n$/);
    expect({ code, stdout }).toEqual({ code: 4, stdout: "" });
  });

  test("refuses arguments it does not know, with 2", async () => {
    const { code, stderr } = await start(clone(), "setup", "--pyhton", "x").ended;
    expect(stderr).toBe("set-up: unknown argument --pyhton. Expected: [--python PATH] [--dev] [--quiet].\n");
    expect(code).toBe(2);
  });
});

describe("start", () => {
  const show = `console.log(JSON.stringify([process.argv.slice(2), process.env.IBATCH_PYTHON]));`;

  test("runs the digits experiment with further arguments, standard output its own, and its exit code", async () => {
    const machine = clone(`${show} process.exitCode = 3;`);
    const { code, stdout } = await start(machine, "start", "--json", "--set", "a.b=c d").ended;
    const [args, python] = JSON.parse(stdout);
    expect(args).toEqual(["run", "configs/digits.yaml", "--json", "--set", "a.b=c d"]);
    expect(python).toBe(join(machine.root, ".venv/bin/python"));
    expect(code).toBe(3);
  });

  test("passes on an environment of the team's own", async () => {
    const machine = clone(show);
    const modules = {
      torch: { version: "2.9" },
      numpy: {},
      zmq: {},
      msgspec: {},
      safetensors: {},
      sklearn: {},
      scipy: {},
    };
    const own = machine.addTool("own/bin/python", fakePython({ look: modules }));
    const { stdout } = await start(machine, "start", "--json", "--python", join(own, "..", "..")).ended;
    expect(JSON.parse(stdout)).toEqual([["run", "configs/digits.yaml", "--python", own, "--json"], own]);
  });

  test.each(["SIGINT", "SIGTERM"] as const)("leaves it to the command how to end on %s", async (signal) => {
    const machine = clone(`
      process.on("${signal}", () => setTimeout(() => { console.log("cleaned up"); process.exit(130); }, 100));
      setInterval(() => {}, 1000);
      console.log("running");`);
    const started = start(machine, "start");
    await started.said("running");
    started.child.kill(signal);
    const { code, stdout } = await started.ended;
    expect({ code, stdout }).toEqual({ code: 130, stdout: "running\ncleaned up\n" });
  });

  test("of a command that was killed says by which signal, as shells do", async () => {
    const { code } = await start(clone(`process.kill(process.pid, "SIGKILL");`), "start").ended;
    expect(code).toBe(137);
  });
});

describe("test", () => {
  const vitest = JSON.stringify({
    ...{ numPassedTests: 3, numFailedTests: 0, numPendingTests: 0, numTodoTests: 0, testResults: [] },
  });
  const pytest = `<testsuites><testsuite errors="0" failures="0" skipped="1" tests="5"></testsuite></testsuites>`;
  const green = { FAKE_VITEST: vitest, FAKE_PYTEST: pytest };

  const cases: [string, Record<string, string>, string[], string, number][] = [
    ["adds up both languages", green, [], "10 passed, 0 failed, 1 skipped", 0],
    ["runs one of them, in two parts", green, ["ts"], "6 passed, 0 failed", 0],
    ["runs what is asked of it, in one", green, ["ts", "--project", "fast"], "3 passed, 0 failed", 0],
    ["runs what wants no Python", green, ["fast"], "3 passed, 0 failed", 0],
    ["runs the other", green, ["python"], "4 passed, 0 failed, 1 skipped", 0],
    ["runs pytest though vitest failed", { ...green, FAKE_VITEST_CODE: "1" }, [], "10 passed, 2 failed, 1 skipped", 1],
    ["counts a runner without a report as failed", { FAKE_VITEST: vitest }, [], "6 passed, 1 failed", 1],
    ["counts a crashed pytest as failed", { ...green, FAKE_PYTEST_CODE: "3" }, [], "10 passed, 1 failed, 1 skipped", 1],
  ];

  test.each(cases)("%s", async (_title, env, args, last, code) => {
    const machine = clone();
    Object.assign(machine.env, env);
    const ended = await start(machine, "test", ...args).ended;
    expect(ended.stdout.trimEnd().split("\n").at(-1)).toBe(last);
    expect(ended.code).toBe(code);
  });

  test("shares the files of Python tests out among two processes, and adds up what they say", async () => {
    const machine = clone();
    Object.assign(machine.env, green);
    machine.write("test/python/deep/test_b.py", "");
    expect((await start(machine, "test", "python").ended).stdout).toBe("8 passed, 0 failed, 2 skipped\n");
    expect((await start(machine, "test", "python", "-k", "some").ended).stdout).toBe("4 passed, 0 failed, 1 skipped\n");
  });

  test("makes no Python for those that want none", async () => {
    const machine = clone();
    Object.assign(machine.env, { ...green, IBATCH_PYTHON: undefined });
    machine.addTool("python3", fails("no Python"));
    expect(await start(machine, "test", "fast").ended).toMatchObject({ code: 0, stdout: "3 passed, 0 failed\n" });
    expect((await start(machine, "test", "ts").ended).code).toBe(4);
  });

  test("does not take the report of an earlier run for its own", async () => {
    const machine = clone();
    machine.write(".setup/vitest.json", vitest);
    const { stdout } = await start(machine, "test", "ts").ended;
    expect(stdout.match(/^FAILED .*vitest\.mjs run /gm)).toHaveLength(2);
    expect(stdout).toMatch(/\n0 passed, 2 failed\n$/);
  });

  test("counts a set-up that failed as one failure", async () => {
    const machine = clone();
    machine.addTool("npm", fails("npm error code ENOTFOUND"));
    const { code, stdout } = await start(machine, "test").ended;
    expect({ code, stdout }).toEqual({ code: 4, stdout: "0 passed, 1 failed\n" });
  });

  test("refuses a language it does not know", async () => {
    const { code, stderr } = await start(clone(), "test", "rust").ended;
    expect(stderr).toBe("set-up: no tests are called rust. Expected: ts or python or fast.\n");
    expect(code).toBe(2);
  });
});

/** A clone that is not set up, with this as its command. */
function clone(main = ""): FakeMachine {
  const machine = goodMachine();
  copyScripts(machine);
  machine.write("src/cli/main.ts", main);
  machine.write("package.json", '{ "type": "module" }');
  machine.write("test/python/test_a.py", "");
  return machine;
}

function start({ root, env }: FakeMachine, script: string, ...args: string[]) {
  const child = spawn(process.execPath, [join(root, "scripts", `${script}.mjs`), ...args], {
    cwd: root,
    env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  let stdout = "";
  let stderr = "";
  child.stderr.on("data", (data) => (stderr += data));
  const said = (text: string) =>
    new Promise<void>((resolve) => child.stdout.on("data", () => stdout.includes(text) && resolve()));
  child.stdout.on("data", (data) => (stdout += data));
  const ended = new Promise<{ code: number | null; stdout: string; stderr: string }>((resolve) => {
    child.on("close", (code) => resolve({ code, stdout, stderr }));
  });
  return { child, said, ended };
}
