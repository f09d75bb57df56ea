import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { Scratch, smallConfig, startIbatch } from "./ibatch.js";

const scratch = new Scratch();
afterAll(() => scratch.remove());

/** Processes whose command line holds this text. */
function processesWith(text: string): string[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readFileSync(join("/proc", pid, "cmdline"), "utf8").includes(text);
      } catch {
        return false; // gone meanwhile
      }
    });
}

it.skipIf(process.platform !== "linux")(
  "Ctrl-C ends cleanly, exit code 130: no backend left, files whole, no lock; the same command goes on",
  async () => {
    const config = scratch.write("small.yaml", smallConfig);
    const directory = scratch.path("out");
    const temporary = scratch.path("tmp"); // the backend's socket lies here, so its command line names it
    mkdirSync(temporary);
    const args = ["run", config, "--out", directory, "--set", "arms.shuffled.epochs=1", "--set", "epochs=400"];
    const { child, ended } = startIbatch(args, { TMPDIR: temporary });
    child.stderr?.once("data", () => child.kill("SIGINT")); // the first line says that the first, short run is done
    const { code, stderr, stdout } = await ended;

    expect(stderr).toMatch(/\[1\/2\] shuffled, seed 0 {2}done/);
    expect(stderr).toMatch(/interrupted; what is complete is in .*, the same command goes on/);
    expect({ code, stdout }).toEqual({ code: 130, stdout: "" });
    expect(processesWith(temporary)).toEqual([]);
    expect(readdirSync(temporary).filter((name) => name.startsWith("ibatch-"))).toEqual([]);
    expect(existsSync(join(directory, "lock"))).toBe(false);
    expect(readdirSync(directory, { recursive: true }).filter((file) => String(file).endsWith(".partial"))).toEqual([]);
    const stateOf = (arm: string) => JSON.parse(readFileSync(join(directory, arm, "seed-0/run.json"), "utf8")).state;
    expect(stateOf("shuffled")).toBe("done");
    if (existsSync(join(directory, "heterogeneous/seed-0/run.json"))) {
      expect(stateOf("heterogeneous")).toBe("interrupted");
    }

    const next = startIbatch(args);
    next.child.stderr?.once("data", () => next.child.kill("SIGINT"));
    expect(await next.ended).toMatchObject({
      code: 130,
      stderr: expect.stringMatching(/^\[1\/2\] shuffled, seed 0 {2}kept, done: /),
    });
  },
);
