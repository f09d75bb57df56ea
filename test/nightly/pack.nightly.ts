// The whole way of `npm run pack`: packed here, unpacked and run where there is neither Node nor a package of ours, and the same bits.
import { type ExecFileSyncOptions, execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { packageRoot } from "../../src/package-root.js";
import { findPython } from "../../src/process/find-python.js";
import { ibatch, Scratch, smallConfig } from "../e2e/ibatch.js";

const MIB = 2 ** 20;
const scratch = new Scratch();
const python = findPython(undefined);
const archive = scratch.path("ibatch.tar.xz");
const unpacked = scratch.path("there", "ibatch");
/** What a shell script needs of a system, and no Node. */
const TOOLS = ["sh", "dirname", "readlink", "env"];

let printed = "";
let commit = "";

/** On the bare machine. */
function there(program: string, args: string[], environment = {}) {
  const env = {
    ...{ PATH: scratch.path("tools"), HOME: scratch.path("home"), OMP_NUM_THREADS: "1" },
    ...{ IBATCH_PYTHON: scratch.path("bare", "bin", "python"), ...environment },
  };
  const { status, stdout, stderr } = spawnSync(join(unpacked, program), args, {
    encoding: "utf8",
    env,
    cwd: scratch.path("home"),
  });
  return { status, stdout, stderr };
}

beforeAll(() => {
  const options: ExecFileSyncOptions & { encoding: "utf8" } = { encoding: "utf8", cwd: packageRoot };
  writeCifar(scratch.path("data", "cifar-10-batches-bin"));
  commit = execFileSync("git", ["rev-parse", "HEAD"], options).trim();
  const asked = ["--python", python, "--output", archive, "--with", scratch.path("data")];
  printed = execFileSync(process.execPath, ["scripts/pack.mjs", ...asked], options);
  for (const folder of ["there", "tools", "home"]) mkdirSync(scratch.path(folder));
  execFileSync(python, ["-m", "tarfile", "-e", archive, scratch.path("there")]);
  execFileSync(python, [join(packageRoot, "test/nightly/bare_environment.py"), scratch.path("bare")]);
  for (const tool of TOOLS) {
    symlinkSync(execFileSync("/bin/sh", ["-c", `command -v ${tool}`], options).trim(), scratch.path("tools", tool));
  }
  scratch.write("small.yaml", smallConfig);
});

afterAll(() => scratch.remove());

const IMAGES_OF_FILE = 20;
const RECORD = 1 + 3 * 32 * 32;

/** Files as CIFAR-10's, with few images of noise. */
function writeCifar(folder: string): void {
  mkdirSync(folder, { recursive: true });
  for (const name of ["data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5", "test_batch"]) {
    const records = Buffer.alloc(IMAGES_OF_FILE * RECORD, `${name} is no picture`);
    for (let image = 0; image < IMAGES_OF_FILE; image++) records[image * RECORD] = image % 10;
    writeFileSync(join(folder, `${name}.bin`), records);
  }
  writeFileSync(join(folder, "batches.meta.txt"), `${CLASSES.join("\n")}\n`);
}

const CLASSES = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];

describe("an archive", () => {
  test("is small enough, and says what its parts weigh", () => {
    expect(printed).toMatch(/^Node +\d files .*\n(.*\n)*all .*\n.*ibatch\.tar\.xz\n$/);
    expect(statSync(archive).size).toBeLessThan(60 * MIB);
  });

  test("trains on a machine with torch alone, to the bits of the clone's", async () => {
    const run = ["run", scratch.path("small.yaml"), "--seeds", "2", "--out"];
    const packed = there("ibatch", [...run, scratch.path("packed")]);
    expect(packed).toMatchObject({ status: 0 });
    const ours = await ibatch([...run, scratch.path("ours")], { OMP_NUM_THREADS: "1", IBATCH_PYTHON: python });
    expect(ours).toMatchObject({ code: 0 });
    for (const file of ["shuffled/seed-0/metrics.jsonl", "heterogeneous/seed-0/metrics.jsonl"]) {
      expect(readFileSync(scratch.path("packed", file))).toEqual(readFileSync(scratch.path("ours", file)));
    }
    expect(JSON.parse(readFileSync(scratch.path("packed", "experiment.json"), "utf8")).commit).toContain(commit);
    expect(readFileSync(scratch.path("packed", "table.md"), "utf8")).toContain("heterogeneous − shuffled");
  });

  test("validates there, which holds Python objects", () => {
    const { status, stdout } = there("ibatch", ["validate", scratch.path("small.yaml"), "--batches", "2"]);
    expect(stdout).toContain("all checks passed");
    expect(status).toBe(0);
  });

  test("has its doctor find the data that went along", () => {
    const { status, stdout } = there("ibatch", ["doctor", "--device", "cpu"]);
    expect(stdout).toContain("ok       data digits: 1437 + 360 images");
    expect(stdout).toContain("ok       data cifar10: 100 + 20 images");
    expect(status).toBe(0);
  });

  test("has Python listen for others, and pytest", () => {
    expect(there("python", ["-m", "py_backend", "--help"])).toMatchObject({ status: 0, stderr: "" });
    expect(there("python", ["-m", "pytest", "--version"])).toMatchObject({ status: 0 });
  });

  test("runs every part of the check of a GPU, on the CPU", () => {
    const { status, stdout } = there("check-gpu", ["--device", "cpu", "--small", "--out", scratch.path("checked")]);
    expect(stdout).toMatch(/\d passed, 0 failed, 0 out of time, \d not run\n$/);
    for (const part of ["doctor", "float32", "bfloat16", "equal-bits", "broken-device", "resnet18"])
      expect(stdout).toMatch(new RegExp(`^passed +${part}, `, "m"));
    expect(readFileSync(scratch.path("checked", "page.md"), "utf8")).toContain("This was a CPU");
    expect(status).toBe(0);
  });
});
