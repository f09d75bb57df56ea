// Whatever a user's code leaves behind at two backends, the command ends, and nothing is left that can be told to be its own.
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { packageRoot } from "../../src/package-root.js";
import { coldPython } from "../warm-python/python.js";
import { Scratch, type Started, smallConfig, startIbatch } from "./ibatch.js";
import { endWithTest, processesIn } from "./processes.js";

const scratch = new Scratch();
afterAll(() => scratch.remove());

interface Running extends Started {
  /** Those that code of the user's started in the backends' groups, and outside of them. */
  readonly numbers: (kind: "child" | "grandchild") => number[];
  readonly temporary: string;
  /** Of runs that are begun. */
  readonly begun: () => number;
}

function start(name: string, epochs: number): Running {
  const temporary = scratch.path(name, "tmp");
  for (const folder of ["child", "grandchild", "tmp"]) mkdirSync(scratch.path(name, folder), { recursive: true });
  endWithTest(temporary);
  const model = `model: { reference: "leaving_net:Leaving", args: { folder: "${scratch.path(name)}" } }`;
  const config = scratch.write(`${name}.yaml`, smallConfig.replace("model: mnist-cnn", model));
  const own = ["--python-path", join(packageRoot, "test/e2e/own_model"), "--allow-import", "leaving_net"];
  const out = scratch.path(name, "out");
  const args = ["run", config, "--jobs", "2", "--out", out, "--set", `epochs=${epochs}`, ...own];
  const started = startIbatch(args, { TMPDIR: temporary, IBATCH_PYTHON: coldPython });
  const begun = () =>
    ["shuffled", "heterogeneous"].filter((arm) => existsSync(join(out, arm, "seed-0/metrics.jsonl"))).length;
  const numbers = (kind: string) => readdirSync(scratch.path(name, kind)).map(Number);
  return { ...started, temporary, begun, numbers };
}

const SECONDS = { timeout: 60_000 };

describe.skipIf(process.platform !== "linux")("what code leaves behind at two backends holds nothing up", () => {
  const nothingLeft = async ({ temporary, numbers }: Running) => {
    const strangers = numbers("grandchild");
    expect(numbers("child").length).toBeGreaterThan(0);
    await expect.poll(() => processesIn(temporary).filter((pid) => !strangers.includes(pid)), SECONDS).toEqual([]);
  };

  it("at the end of an experiment", async () => {
    const running = start("end", 1);
    const { code, stderr } = await running.ended;
    expect({ code, stderr: code === 0 ? "" : stderr }).toEqual({ code: 0, stderr: "" });
    await nothingLeft(running);
  });

  it("at Ctrl-C", async () => {
    const running = start("interrupted", 400);
    await expect.poll(running.begun, SECONDS).toBe(2);
    running.child.kill("SIGINT");
    expect(await running.ended).toMatchObject({ code: 130, stderr: expect.stringContaining("interrupted") });
    await nothingLeft(running);
  });

  it("where the controller is killed", async () => {
    const running = start("killed", 400);
    await expect.poll(running.begun, SECONDS).toBe(2);
    running.child.kill("SIGKILL");
    await new Promise((resolve) => running.child.once("exit", resolve));
    await nothingLeft(running);
  });
});
