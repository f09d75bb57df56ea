// examples/slurm as it is, and the lines of its README, on a stand-in for Slurm.

import { execFile } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, describe, expect, it } from "vitest";
import { packageRoot } from "../../src/package-root.js";
import { warmPython } from "../warm-python/python.js";
import { ibatch, Scratch, smallConfig } from "./ibatch.js";
import { endWithTest } from "./processes.js";
import { recordedBytes, tableOf } from "./recorded-bytes.js";
import { Cluster, type Start } from "./slurm/cluster.js";

const EXAMPLE = join(packageRoot, "examples/slurm");
const scratch = new Scratch();
afterAll(() => scratch.remove());

/** A user's folder with the script, this package among its modules as npm puts it there, and a cluster to submit to. */
function project(name: string) {
  const folder = scratch.path(name);
  mkdirSync(join(folder, "node_modules/.bin"), { recursive: true });
  mkdirSync(join(folder, "tmp"));
  endWithTest(join(folder, "tmp"));
  symlinkSync(packageRoot, join(folder, "node_modules/importance-batching"));
  symlinkSync("../importance-batching/dist/cli/main.js", join(folder, "node_modules/.bin/ibatch"));
  cpSync(join(EXAMPLE, "array.sbatch"), join(folder, "array.sbatch"));
  const cluster = new Cluster(join(folder, "slurm"));
  const submit = (lines: string, environment: Record<string, string> = {}) =>
    promisify(execFile)("bash", ["-euc", lines], {
      cwd: folder,
      env: {
        ...{ ...process.env, IBATCH_PYTHON: warmPython, TMPDIR: join(folder, "tmp") },
        ...cluster.environment,
        ...environment,
      },
    });
  const read = (path: string) => readFileSync(join(folder, path), "utf8");
  return { folder, cluster, submit, read };
}

/** The README's blocks of commands. */
const [submitted, again, apart] = [
  ...readFileSync(join(EXAMPLE, "README.md"), "utf8").matchAll(/```sh\n([\s\S]*?)```/g),
].map(([, lines]) => lines);

describe.skipIf(process.platform !== "linux")("an array", () => {
  const ARMS = ["shuffled", "heterogeneous"];
  const long = smallConfig.replace("epochs: 2", "epochs: 10");

  it("whose tasks are warned in the middle of training goes on, with the bytes of one command that nothing happened to", async () => {
    const { folder, cluster, submit, read } = project("requeued");
    const config = scratch.write("requeued/experiment.yaml", long);
    const whole = scratch.path("whole");
    expect(await ibatch(["run", config, "--out", whole])).toMatchObject({ code: 0 });

    await submit(submitted.replace("--parsable", "--parsable --array=0-1"));
    const out = join(folder, "runs/experiment");
    const hasTrained = (arm: string) => {
      const metrics = join(out, arm, "seed-0/metrics.jsonl");
      return existsSync(metrics) && readFileSync(metrics, "utf8") !== "";
    };
    const warned: Promise<void>[] = [];
    const atItsLimit = async ({ task, warn }: Start) => {
      await expect.poll(() => hasTrained(ARMS[Number(task)]), { interval: 10 }).toBe(true);
      warn();
    };
    const ended = await cluster.work((start) => {
      if (start.task !== undefined && start.restarts === 0) warned.push(atItsLimit(start));
    });
    await Promise.all(warned);

    expect(ended).toEqual({ "1000_0": [0, 0], "1000_1": [0, 0], "2000": [0] });
    for (const [task, arm] of ARMS.entries()) {
      const log = read(`ibatch-1000_${task}.log`);
      expect(log).toMatch(/ibatch: interrupted; what there is of it is in .*; give the same command again to go on\n/);
      expect(log).toContain(`array.sbatch: ibatch ended with 75: task 1000_${task} goes back into the queue\n`);
      expect(log.match(/ibatch ended with/g)).toHaveLength(1);
      expect(log).toMatch(new RegExp(`${arm}, seed 0 +goes on from step \\d+`));
    }
    expect(recordedBytes(out)).toEqual(recordedBytes(whole));
    expect(tableOf(out)).toBe(tableOf(whole));
    expect(read("slurm-2000.out")).toContain("report.html");
  });
});

describe.skipIf(process.platform !== "linux")("array.sbatch", () => {
  /** In the place of ibatch: says what it was given, and ends as told. */
  let made = 0;
  const standIn = (then: string) =>
    scratch.write(`ibatch-${made++}.mjs`, `console.log("given", ...process.argv.slice(2));\n${then}\n`);
  const LISTENS = `
    for (const [signal, code] of [["SIGUSR1", 75], ["SIGTERM", 143]]) process.on(signal, () => {
      console.log("got", signal);
      process.exit(code);
    });
    setInterval(() => {}, 1000);
    console.log("listens");`;

  it("does one task again as the shard that it is, by the README's line", async () => {
    const { cluster, submit, read } = project("again");
    await submit(`config=experiment.yaml\nout=runs/experiment\n${again}`, { IBATCH: standIn("") });
    expect(await cluster.work()).toEqual({ "1000_2": [0] });
    expect(read("ibatch-1000_2.log")).toBe("given run experiment.yaml --out runs/experiment --shard 2/4\n");
  });

  it("may have a directory for each task, which the README's lines merge", async () => {
    const { folder, cluster, submit, read } = project("apart");
    const makes = `
      import { mkdirSync } from "node:fs";
      const out = process.argv[process.argv.indexOf("--out") + 1];
      mkdirSync(out, { recursive: true });`;
    rmSync(join(folder, "node_modules/.bin/ibatch"));
    symlinkSync(standIn(makes), join(folder, "node_modules/.bin/ibatch"));
    const lines = apart.replace("--parsable", "--parsable --array=1-2");
    await submit(`config=experiment.yaml\nout=runs/experiment\n${lines}`);
    expect(await cluster.work()).toEqual({ "1000_1": [0], "1000_2": [0], "2000": [0] });
    expect(read("ibatch-1000_1.log")).toBe("given run experiment.yaml --out shard-1 --shard auto\n");
    expect(read("slurm-2000.out")).toBe("given merge shard-1 shard-2 --out runs/experiment\n");
  });

  it("ends with the code of what went wrong, and starts nothing again", async () => {
    const { cluster, submit, read } = project("failed");
    const submission = "sbatch --array=0-1 array.sbatch 'my config.yaml' --out 'runs/%a of 2'";
    await submit(submission, { IBATCH: standIn("process.exit(process.argv.includes('runs/1 of 2') ? 3 : 4)") });
    expect(await cluster.work()).toEqual({ "1000_0": [4], "1000_1": [3] });
    expect(read("ibatch-1000_1.log")).toBe("given run my config.yaml --out runs/1 of 2 --shard auto\n");
  });

  it("passes a SIGTERM on, waits for the end, and starts nothing again", async () => {
    const { cluster, submit, read } = project("cancelled");
    await submit("sbatch --array=0 array.sbatch x.yaml", { IBATCH: standIn(LISTENS) });
    const cancelled: Promise<void>[] = [];
    const whenItListens = async ({ cancel }: Start) => {
      await expect.poll(() => read("ibatch-1000_0.log"), { interval: 10 }).toContain("listens");
      cancel();
    };
    const ended = await cluster.work((start) => cancelled.push(whenItListens(start)));
    await Promise.all(cancelled);
    expect(ended).toEqual({ "1000_0": [143] });
    expect(read("ibatch-1000_0.log")).toBe("given run x.yaml --shard auto\nlistens\ngot SIGTERM\n");
  });

  it("goes back into the queue also where the signal killed what could not listen yet", async () => {
    const { cluster, submit, read } = project("killed");
    const nothing = "const nothing = () => {}; for (const act of ['on', 'off']) process[act]('SIGUSR1', nothing);"; // no debugger
    const killed = "if (process.env.SLURM_RESTART_COUNT === undefined) process.kill(process.pid, 'SIGUSR1');";
    await submit("sbatch --array=0 array.sbatch x.yaml", { IBATCH: standIn(nothing + killed) });
    expect(await cluster.work()).toEqual({ "1000_0": [0, 0] });
    expect(read("ibatch-1000_0.log")).toContain("ibatch ended with 138: task 1000_0 goes back into the queue");
  });

  it("gives up after as many starts as it may have", async () => {
    const { cluster, submit, read } = project("restarts");
    await submit("sbatch --array=0 array.sbatch x.yaml", { IBATCH: standIn("process.exit(75);"), RESTARTS: "2" });
    expect(await cluster.work()).toEqual({ "1000_0": [0, 0, 75] });
    expect(read("ibatch-1000_0.log")).toMatch(/task 1000_0 was started again 2 times, and is not done: it is left/);
  });

  it("says so where Slurm does not requeue it", async () => {
    const { cluster, submit, read } = project("refused");
    await submit("sbatch --no-requeue --array=0 array.sbatch x.yaml", { IBATCH: standIn("process.exit(75);") });
    expect(await cluster.work()).toEqual({ "1000_0": [75] });
    expect(read("ibatch-1000_0.log")).toMatch(
      /presently disabled.*\narray.sbatch: task 1000_0 could not be requeued: submit/,
    );
  });
});
