import { type ChildProcess, spawn } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { packageRoot } from "../../src/package-root.js";
import { coldPython } from "../warm-python/python.js";
import { Scratch, smallConfig, startIbatch } from "./ibatch.js";
import { endWithTest, processesIn } from "./processes.js";

const scratch = new Scratch();
afterAll(() => scratch.remove());

/** For temporary files of commands. What a test that fails leaves running there, or stopped, is ended. */
function temporaryFiles(name: string): string {
  const temporary = scratch.path(name);
  mkdirSync(temporary);
  endWithTest(temporary);
  return temporary;
}

/** Resolves to what is done at once when standard error says so. */
function whenSaid<T>(child: ChildProcess, what: RegExp, then: () => T | Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    let said = "";
    const hear = (text: string) => {
      said += text;
      if (!what.test(said)) return;
      child.stderr?.off("data", hear);
      new Promise<T>((done) => done(then())).then(resolve, reject);
    };
    child.stderr?.on("data", hear);
    child.once("close", () => reject(new Error(`it ended, and did not say ${what}: ${said}`)));
  });
}

/** Of the whole checkpoints of a run. */
const stepsSaved = (run: string): string[] =>
  existsSync(join(run, "checkpoint"))
    ? readdirSync(join(run, "checkpoint")).filter((step) => existsSync(join(run, "checkpoint", step, "manifest.json")))
    : [];

/** A Python that writes what it does to the file, and waits there. */
function slowPython(name: string, does: string): string {
  const path = scratch.write(name, `#!/bin/sh\n${does}\n`);
  chmodSync(path, 0o755);
  return path;
}

describe.skipIf(process.platform !== "linux")("Ctrl-C before anything is trained: one line, nothing left", () => {
  const config = scratch.write("small.yaml", smallConfig);
  const commands = [
    ["run", config, "--out", scratch.path("none")],
    ["list", "models"],
    ["doctor"],
    ["order", "shuffled", "--dataset", "digits"],
  ];

  it.each(commands)("%s, while the backend starts", async (...args) => {
    const temporary = temporaryFiles(`tmp-${args[0]}`);
    const begun = join(temporary, "begun");
    const slow = slowPython(`slow-${args[0]}`, `touch '${begun}'; exec sleep 600 # "$@"`);
    const { child, ended } = startIbatch([...args, "--python", slow], { TMPDIR: temporary });
    await expect.poll(() => existsSync(begun)).toBe(true);
    child.kill("SIGINT");
    const { code, stderr } = await ended;
    expect({ code, stderr }).toEqual({ code: 130, stderr: "ibatch: interrupted\n" });
    expect(readdirSync(temporary)).toEqual(["begun"]);
    expect(existsSync(scratch.path("none"))).toBe(false);
  });

  it("twice, or a closed terminal and Ctrl-C: at once, and the socket's directory goes with the child", async () => {
    const temporary = temporaryFiles("tmp-twice");
    // It is on its way through a run of 400 epochs and stopped (SIGSTOP), so that the first signal cannot end it.
    const args = ["run", config, "--out", scratch.path("twice"), "--set", "epochs=400"];
    const { child, ended } = startIbatch(args, { TMPDIR: temporary, IBATCH_PYTHON: coldPython });
    const stopped = await whenSaid(child, /started/, () => {
      const others = processesIn(temporary).filter((pid) => pid !== child.pid);
      for (const pid of others) process.kill(pid, "SIGSTOP");
      return others;
    });
    expect(stopped).toHaveLength(2); // the backend and its keeper
    const signals: NodeJS.Signals[] = ["SIGHUP"];
    const pressed = () => {
      child.kill(signals.shift() ?? "SIGINT");
      return child.exitCode;
    };
    await expect.poll(pressed, { interval: 100 }).toBe(129); // the first ones of SIGINT may be echoes
    expect((await ended).stderr).not.toMatch(/interrupted/); // as it would, had it ended in order
    await expect.poll(() => processesIn(temporary)).toEqual([]);
    expect(readdirSync(temporary).filter((name) => name.startsWith("ibatch-"))).toEqual([]);
  });
});

it.skipIf(process.platform !== "linux")(
  "Ctrl-C ends cleanly, no backend left, files whole, no lock; the same command goes on; SIGUSR1 to all leaves a checkpoint",
  async () => {
    const config = scratch.write("small.yaml", smallConfig);
    const directory = scratch.path("out");
    const temporary = temporaryFiles("tmp");
    const args = ["run", config, "--out", directory, "--set", "arms.shuffled.epochs=1", "--set", "epochs=400"];
    const { child, ended } = startIbatch(args, { TMPDIR: temporary, IBATCH_PYTHON: coldPython });
    await whenSaid(child, /\[1\/2\].* done/, () => child.kill("SIGINT"));
    const { code, stderr, stdout } = await ended;

    expect(stderr).toMatch(/\[1\/2\] shuffled, seed 0 {2}done/);
    expect(stderr).toMatch(
      /\nibatch: interrupted; what there is of it is in .*; give the same command again to go on\n$/,
    );
    expect({ code, stdout }).toEqual({ code: 130, stdout: "" });
    expect(processesIn(temporary)).toEqual([]);
    expect(readdirSync(temporary).filter((name) => name.startsWith("ibatch-"))).toEqual([]);
    expect(existsSync(join(directory, "lock"))).toBe(false);
    expect(readdirSync(directory, { recursive: true }).filter((file) => String(file).endsWith(".partial"))).toEqual([]);
    const stateOf = (arm: string) => JSON.parse(readFileSync(join(directory, arm, "seed-0/run.json"), "utf8")).state;
    expect(stateOf("shuffled")).toBe("done");
    if (existsSync(join(directory, "heterogeneous/seed-0/run.json"))) {
      expect(stateOf("heterogeneous")).toBe("interrupted");
    }

    const run = join(directory, "heterogeneous/seed-0");
    const before = stepsSaved(run);
    const next = startIbatch(args, { TMPDIR: temporary, IBATCH_PYTHON: coldPython });
    await whenSaid(next.child, /\[2\/2\].* (started|goes on)/, async () => {
      const epochs = () => readFileSync(join(run, "metrics.jsonl"), "utf8");
      await expect.poll(epochs).not.toBe(""); // before its first batch there is nothing to keep
      const all = processesIn(temporary); // controller, backend and its keeper: as Slurm does
      expect(all).toHaveLength(3);
      for (const pid of all) process.kill(pid, "SIGUSR1");
    });
    expect(await next.ended).toMatchObject({
      code: 75,
      stderr: expect.stringMatching(/^\[1\/2\] shuffled, seed 0 {2}kept, done: /),
    });
    expect(stateOf("heterogeneous")).toBe("interrupted");
    expect(stepsSaved(run).length).toBeGreaterThan(before.length);
  },
);

it.skipIf(process.platform !== "linux").each(["SIGTERM", "SIGHUP"] as const)(
  "%s to npx alone, which does not pass it on, ends the command that it began, and says so",
  async (signal) => {
    const config = scratch.write("small.yaml", smallConfig);
    const directory = scratch.path(`npx-${signal}`);
    const temporary = temporaryFiles(`tmp-npx-${signal}`);
    const child = spawn("npx", ["ibatch", "run", config, "--out", directory, "--set", "epochs=4000"], {
      env: { ...process.env, TMPDIR: temporary, IBATCH_PYTHON: coldPython },
      cwd: packageRoot,
      stdio: ["ignore", "ignore", "pipe"],
    });
    let said = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      said += text;
    });
    await whenSaid(child, /started/, () => child.kill(signal));
    await expect.poll(() => processesIn(temporary)).toEqual([]);
    expect(said).toContain("ibatch: npm, which began this, has ended: ending as by SIGTERM\n");
    expect(said).toContain("ibatch: interrupted; ");
    const { state } = JSON.parse(readFileSync(join(directory, "shuffled/seed-0/run.json"), "utf8"));
    expect(state).toBe("interrupted");
  },
);
