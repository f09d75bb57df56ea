// Two backends that were started by hand, of which one is killed under its run.
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { packageRoot } from "../../src/package-root.js";
import { warmPython } from "../warm-python/python.js";
import { ibatch, Scratch, smallConfig, startIbatch } from "./ibatch.js";
import { recordedBytes } from "./recorded-bytes.js";

const scratch = new Scratch();
afterAll(() => scratch.remove());

interface ByHand {
  readonly child: ChildProcess;
  readonly url: string;
  /** Of the backend itself, which another one may have forked. */
  readonly pid: number;
}

/** It ends with the test, or when standard input closes: whatever becomes of this process. */
async function byHand(...options: string[]): Promise<ByHand> {
  const child = spawn(
    warmPython,
    ["-m", "py_backend", "--child", "--listen", "tcp://127.0.0.1:0", "--threads", "1", "--device", "cpu", ...options],
    { cwd: packageRoot, stdio: ["pipe", "pipe", "ignore"] },
  );
  onTestFinished(() => void child.kill("SIGKILL"));
  const line = await new Promise<string>((resolve) => child.stdout.setEncoding("utf8").once("data", resolve));
  const { control: url, pid } = JSON.parse(line);
  return { child, url, pid };
}

/** Steps of the whole checkpoints of a run that is under way. */
function stepsUnderWay(run: string): number[] {
  if (!existsSync(join(run, "run.json"))) return [];
  if (JSON.parse(readFileSync(join(run, "run.json"), "utf8")).state !== "running") return [];
  const checkpoints = join(run, "checkpoint");
  if (!existsSync(checkpoints)) return [];
  return readdirSync(checkpoints)
    .filter((step) => existsSync(join(checkpoints, step, "manifest.json")))
    .map(Number);
}

describe.skipIf(process.platform === "win32")("two backends that run already", () => {
  const settings = ["--set", "epochs=6", "--set", "checkpoint.everyBatches=4", "--set", "backend.chunkBatches=2"];
  const runs = ["shuffled/seed-0", "heterogeneous/seed-0"];
  let config: string;
  let alone: Record<string, string>;

  beforeAll(async () => {
    config = scratch.write("small.yaml", smallConfig);
    const ended = await ibatch(["run", config, "--out", scratch.path("alone"), ...settings]);
    expect(ended).toMatchObject({ code: 0 });
    alone = recordedBytes(scratch.path("alone"));
    expect(Object.keys(alone).length).toBeGreaterThan(20);
  });

  it("of which one is killed: its run goes on at the other one from its newest checkpoint, to the byte", async () => {
    const [a, b] = [await byHand(), await byHand()];
    const out = scratch.path("killed");
    const { ended } = startIbatch(["run", config, "--out", out, "--backend", `${a.url},${b.url}`, ...settings]);
    const newest = () => runs.map((run) => Math.max(0, ...stepsUnderWay(join(out, run))));
    await expect.poll(newest, { interval: 5, timeout: 60_000 }).toEqual(expect.toSatisfy(areUnderWay));
    a.child.kill("SIGKILL");
    const { code, stderr } = await ended;
    expect(stderr, "how it was lost depends on what was on its way").toMatch(/; restart 1 of 3$/m);
    expect(stderr).toMatch(/seed 0 {2}goes on from step \d+/);
    expect(code).toBe(0);
    const log = readFileSync(join(out, "log.txt"), "utf8");
    const told = log.match(/(?<=seed 0: )(?:begins|goes on) .*at tcp:.*/g) ?? [];
    expect(told.slice(0, 2).toSorted()).toEqual([a.url, b.url].map((url) => `begins at ${url}`).toSorted());
    expect(told.slice(2)).toEqual([expect.stringMatching(`^goes on from step \\d+ at ${b.url}$`)]);
    expect(recordedBytes(out)).toEqual(alone);
    expect(b.child.exitCode, "whoever started it has it still").toBeNull();
  });

  it("of which one falls silent: its run goes on at the other one from its newest checkpoint, to the byte", async () => {
    const [a, b] = [await byHand(), await byHand()];
    const out = scratch.path("silent");
    const all = `${a.url},${b.url}`;
    const heartbeat = ["--set", "backend.heartbeat={everySeconds: 0.5, limitSeconds: 5}"];
    const { ended } = startIbatch(["run", config, "--out", out, "--backend", all, ...settings, ...heartbeat]);
    const newest = () => runs.map((run) => Math.max(0, ...stepsUnderWay(join(out, run))));
    await expect.poll(newest, { interval: 5, timeout: 60_000 }).toEqual(expect.toSatisfy(areUnderWay));
    process.kill(a.pid, "SIGSTOP");
    onTestFinished(() => void process.kill(a.pid, "SIGKILL"));
    const { code, stderr } = await ended;
    expect(stderr).toMatch(/seed 0: the backend was silent for 5 s; under way: .*; restart 1 of 3$/m);
    expect(stderr).toMatch(/seed 0 {2}goes on from step \d+/);
    expect(code).toBe(0);
    expect(recordedBytes(out)).toEqual(alone);
  });

  const areUnderWay = (steps: number[]) => steps.every((step) => step > 0 && step < 60);

  it("of which one computes otherwise: it takes no run, and the other one does all", async () => {
    const [a, b] = [await byHand(), await byHand("--threads", "2")];
    const out = scratch.path("otherwise");
    const threads = ["--set", "backend.threads=auto"];
    const all = `${a.url},${b.url}`;
    const { code, stderr } = await ibatch(["run", config, "--out", out, "--backend", all, ...settings, ...threads]);
    expect(code).toBe(0);
    expect(stderr).toContain(`${b.url} is given up, and others do what is left: it would give other bits`);
    expect(stderr.trimEnd().split("\n").at(-1)).toMatch(/^ibatch: tcp:.* was given up: .*threads 1, now 2/);
    expect(recordedBytes(out)).toEqual(alone);
  });
});

describe.skipIf(process.platform === "win32")("a device that breaks under a run", () => {
  const code = join(packageRoot, "test/e2e/own_model");
  const own = ["--python-path", code, "--allow-import", "breaking_net"];
  const settings = ["--set", "checkpoint.everyBatches=4", "--set", "backend.chunkBatches=2"];

  /** `once`: a file that is written when it breaks, which it does not do again then. */
  const breaking = (name: string, once: string): string =>
    scratch.write(
      `${name}.yaml`,
      smallConfig.replace(
        "model: mnist-cnn",
        `model: { reference: "breaking_net:Breaking", args: { once: "${once}" } }`,
      ),
    );

  it("ends its backend, and the run goes on at another one, to the byte", async () => {
    const once = scratch.path("once");
    const config = breaking("broken", once);
    const run = (out: string, ...more: string[]) =>
      ibatch(["run", config, "--out", scratch.path(out), ...own, ...settings, ...more]);
    const broken = await run("with-broken", "--jobs", "2");
    expect(existsSync(once)).toBe(true);
    expect(broken.stderr).toMatch(
      /seed 0: the backend ends: the device answers nothing any more, and this backend ends: CUDA error: device-side assert.*; restart 1 of 3$/m,
    );
    expect(broken.code).toBe(0);
    expect(await run("with-whole")).toMatchObject({ code: 0 }); // the file is there by now
    expect(recordedBytes(scratch.path("with-broken"))).toEqual(recordedBytes(scratch.path("with-whole")));
  });

  it("each time: the run fails after its restarts", async () => {
    const config = breaking("always", "");
    const args = ["run", config, "--out", scratch.path("always"), ...own, ...settings, "--set", "backend.restarts=1"];
    const { code, stderr } = await ibatch(args);
    expect(stderr).toMatch(/restart 1 of 1$/m);
    expect(stderr).toMatch(/failed: the backend ends: the device answers nothing any more/);
    expect(code).toBe(3);
  });
});
