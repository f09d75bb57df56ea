// Backends on a Ray cluster of two nodes with one CPU each. IBATCH_RAY_PYTHON has ray (scripts/nightly.mjs).
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { createInterface, type Interface } from "node:readline";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { differencesFrom, recordedIn } from "../../chaos/recorded.mjs";
import { packageRoot } from "../../src/package-root.js";
import { type Ended, Scratch, type Started, startIbatch } from "../e2e/ibatch.js";
import { tableOf } from "../e2e/recorded-bytes.js";

const python = process.env.IBATCH_RAY_PYTHON ?? "";
const scratch = new Scratch();

/** Long enough that a node can be killed in the middle; checkpoints at each epoch. */
const CONFIG = `name: placed
dataset: { name: digits, subset: 600 }
model: mnist-cnn
optimizer: { name: sgd, momentum: 0.9 }
schedule: { name: constant, learningRate: 0.02 }
batching: { name: constant, size: 32 }
epochs: 30
seeds: 2
arms:
  frozen: { order: frozen }
  shuffled: { order: shuffled }
backend: { threads: 1, chunkBatches: 4 }
checkpoint: { leastSeconds: 0 }
`;

/** By one test, over as many commands as it takes. */
const NODES_KILLED = 10;

let program: ChildProcess;
let lines: Interface;
let address = "";
let config = "";
let undisturbed: Map<string, string>;

/** Of the program that has the cluster. */
async function nextLine(): Promise<string> {
  const [line] = await once(lines, "line");
  return String(line);
}

async function tell(what: "kill" | "add"): Promise<void> {
  program.stdin?.write(`${what}\n`);
  expect(await nextLine()).toBe(what);
}

const out = (name: string): string => scratch.path(name);

function start(name: string, ...args: string[]): Started {
  return startIbatch(["run", config, "--out", out(name), ...args], { IBATCH_PYTHON: python });
}

const onRay = (name: string, ...args: string[]): Started => start(name, "--ray", address, ...args);

/** Processes of ours, or that Ray has run for us, that are there. */
const left = (): string[] =>
  execFileSync("ps", ["-eo", "args"], { encoding: "utf8" })
    .split("\n")
    .filter(
      (line) => (line.startsWith(python) && / -m py_(ray|backend) /.test(line)) || line.startsWith("ray::HeldBackend"),
    );

function succeeded({ code, stderr }: Ended): void {
  expect({ code, stderr }).toEqual({ code: 0, stderr: expect.any(String) });
}

/** How often it went on from a checkpoint. */
const resumedOf = (run: string): number =>
  (JSON.parse(readFileSync(join(out("killed"), run, "run.json"), "utf8")).resumed ?? []).length;

/** Files of all runs together have seconds in them. */
const differences = (name: string): string[] =>
  differencesFrom(undisturbed, out(name)).filter((line) => !/^(statistics\.json|table\.md) /.test(line));

const checkpointsIn = (name: string): string[] =>
  existsSync(out(name))
    ? readdirSync(out(name), { recursive: true, encoding: "utf8" }).filter((path) => path.endsWith("manifest.json"))
    : [];

const saidIn = (name: string, what: RegExp): number =>
  existsSync(join(out(name), "log.txt"))
    ? [...readFileSync(join(out(name), "log.txt"), "utf8").matchAll(what)].length
    : 0;

function isOverOf(ended: Promise<Ended>): () => boolean {
  let isOver = false;
  void ended.then(() => {
    isOver = true;
  });
  return () => isOver;
}

/** Whether two backends come to be there, and get on, before the command is over: what was lost is back. */
async function comesToTrainOnBoth(name: string, isOver: () => boolean): Promise<boolean> {
  const areBoth = () => left().filter((line) => / -m py_backend /.test(line)).length === 2;
  const isBack = () => saidIn(name, / is back$/gm) >= saidIn(name, / is lost: /g);
  let seen: string | undefined;
  const getsOn = () => {
    if (!isBack() || !areBoth()) return false;
    const checkpoints = checkpointsIn(name).join();
    seen ??= checkpoints;
    return checkpoints !== seen;
  };
  await expect.poll(() => isOver() || getsOn(), { interval: 50 }).toBe(true);
  return !isOver();
}

beforeAll(async () => {
  config = scratch.write("placed.yaml", CONFIG);
  const env = { ...process.env, HOME: scratch.directory }; // Ray writes there
  // Where it is killed Ray kills the whole process group.
  program = spawn(python, [join(packageRoot, "test/nightly/ray_cluster.py")], {
    stdio: ["pipe", "pipe", "ignore"],
    detached: true,
    env,
  });
  if (program.stdout === null) throw new Error("it has no standard output");
  lines = createInterface(program.stdout);
  address = await nextLine();
  succeeded(await start("undisturbed").ended);
  undisturbed = recordedIn(out("undisturbed"));
});

afterEach(() => expect.poll(left).toEqual([]));

afterAll(async () => {
  const gone = once(program, "close");
  program.stdin?.end();
  await gone;
  scratch.remove();
});

describe("backends that Ray holds", () => {
  test("give the records of one local job, byte for byte", async () => {
    succeeded(await onRay("two", "--jobs", "2").ended);
    expect(differences("two")).toEqual([]);
    expect(tableOf(out("two"))).toBe(tableOf(out("undisturbed")));
  });

  test("wait for room, which is told, and take it from who has nothing to do", async () => {
    const ended = await onRay("three", "--jobs", "3").ended;
    succeeded(ended);
    expect(ended.stderr).toContain("waiting for {CPU: 1}; free in the cluster: {CPU: 0 of 2}");
    expect(differences("three")).toEqual([]);
  });

  test("run code of the user's, which is uploaded", async () => {
    const example = join(packageRoot, "examples/own-model");
    const args = ["--python-path", example, "--allow-import", "net", "--ray", address];
    const { ended } = startIbatch(
      ["run", join(example, "experiment.yaml"), "--out", out("own"), ...args, "--set", "epochs=1", "--seeds", "1"],
      { IBATCH_PYTHON: python },
    );
    succeeded(await ended);
  });

  test("are placed again where their node is lost, and go on from checkpoints to the same bits", async () => {
    const { ended } = onRay("killed", "--jobs", "2");
    const runs = () => new Set(checkpointsIn("killed").map((path) => path.split("/checkpoint/")[0])).size;
    await expect.poll(runs, { interval: 50 }).toBe(2); // either node's run has one
    await tell("kill");
    const { code, stderr } = await ended;
    await tell("add");
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: expect.stringMatching(/node [\d.]+, or what held the backend there, is lost/),
    });
    expect(differences("killed")).toEqual([]);
    const resumed = ["frozen", "shuffled"].flatMap((arm) => [0, 1].map((seed) => resumedOf(join(arm, `seed-${seed}`))));
    expect(Math.max(...resumed)).toBe(1);
  });

  test("lose nothing where nodes are killed again and again", async () => {
    let lost = 0;
    for (let at = 0; lost < NODES_KILLED; at++) {
      const name = `again-${at}`;
      const { ended } = onRay(name, "--jobs", "2");
      const isOver = isOverOf(ended);
      while (await comesToTrainOnBoth(name, isOver)) {
        await tell("kill");
        await tell("add");
      }
      succeeded(await ended);
      expect(differences(name)).toEqual([]);
      lost += saidIn(name, / is lost: /g);
      rmSync(out(name), { recursive: true });
    }
  }, 3_600_000);

  test("leave nothing when the command is killed", async () => {
    const { child, ended } = onRay("dead", "--jobs", "2");
    await expect.poll(() => checkpointsIn("dead").length, { interval: 50 }).toBeGreaterThan(0);
    expect(left().length).toBeGreaterThan(0);
    child.kill("SIGKILL");
    expect((await ended).code).toBeNull();
  });
});

describe("what cannot be is said in one line", () => {
  test.each([
    [
      "a demand that no node can meet",
      ["--set", "backend.resources.cpus=64"],
      /no node of the cluster has \{CPU: 64\}/,
    ],
    ["no cluster at the address", ["--ray", "127.0.0.1:1"], /no cluster is there \(.*refused/],
    ["an address that is none", ["--ray", "nowhere"], /expected auto, HOST:PORT/],
  ])("%s", async (_, args, said) => {
    const { code, stderr } = await onRay("none", ...args).ended;
    expect(code).toBe(4);
    expect(stderr.trim().split("\n")).toEqual([expect.stringMatching(said)]);
  });
});
