/** Orders taken home: `ibatch export --to torch`, and the example that trains with them in plain PyTorch. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { packageRoot } from "../../src/package-root.js";
import { warmPython } from "../warm-python/python.js";
import { ibatch, Scratch } from "./ibatch.js";

const scratch = new Scratch();
afterAll(() => scratch.remove());
const run = scratch.path("run");
const home = join(run, "export/torch");

const config = scratch.write(
  "home.yaml",
  `name: home
dataset: digits
model: { name: mnist-cnn, convDropout: 0, fcDropout: 0 }
optimizer: { name: sgd, momentum: 0.9, weightDecay: 5.0e-4 }
schedule: { name: cosine, learningRate: 0.02 }
batching: { name: constant, size: 32 }
epochs: 2
seeds: [3]
evaluation: { trainSample: 100 }
backend: { threads: 1, device: cpu }
arms: { hardest: { order: { name: loss-global, first: highest } } }
`,
);

beforeAll(async () => {
  expect(await ibatch(["run", config, "--out", run, "--quiet"])).toMatchObject({ code: 0 });
  expect(await ibatch(["export", run, "--to", "torch"])).toEqual({
    code: 0,
    stdout: `${join(home, "recorded_order.py")}\n`,
    stderr: "",
  });
});

const train = (...args: string[]) =>
  spawnSync(warmPython, [join(packageRoot, "examples/orders-to-pytorch/train.py"), run, "hardest", "3", ...args], {
    encoding: "utf8",
    cwd: scratch.directory,
    env: { ...process.env, OMP_NUM_THREADS: "1" },
  });

it("copies the orders byte for byte, and the module", () => {
  for (const file of ["0000.u32", "0000.json", "0001.u32", "0001.json"]) {
    const recorded = readFileSync(join(run, "hardest/seed-3/orders", file));
    expect(readFileSync(join(home, "hardest/seed-3/orders", file)).equals(recorded)).toBe(true);
  }
  expect(existsSync(join(home, "hardest/seed-3/orders/0000.weights.f32"))).toBe(false);
  const module = readFileSync(join(packageRoot, "py_validate/recorded_order.py"), "utf8");
  expect(readFileSync(join(home, "recorded_order.py"), "utf8")).toBe(module);
});

it("a plain loop that samples by them reaches each sample's recorded loss", () => {
  const losses = scratch.path("losses");
  mkdirSync(losses);
  const { stdout, stderr, status } = train(losses);
  expect({ status, stderr: status === 0 ? "" : stderr }).toEqual({ status: 0, stderr: "" });
  expect(stdout.trimEnd().split("\n")).toHaveLength(2);
  const floats = (path: string) => new Float32Array(Uint8Array.from(readFileSync(path)).buffer);
  for (const epoch of ["0000", "0001"]) {
    const indices = new Uint32Array(
      Uint8Array.from(readFileSync(join(run, `hardest/seed-3/orders/${epoch}.u32`))).buffer,
    );
    const recorded = floats(join(run, `hardest/seed-3/signals/loss/${epoch}.f32`));
    const reached = floats(join(losses, `${epoch}.f32`));
    expect(reached).toHaveLength(1437);
    const apart = indices.reduce((most, index, at) => Math.max(most, Math.abs(recorded[index] - reached[at])), 0);
    expect(apart).toBeLessThan(2e-3); // x/255 normalised as usual: another rounding, amplified over 90 steps
  }
});

it("an order that was changed is refused", () => {
  const path = join(home, "hardest/seed-3/orders/0001.u32");
  const changed = readFileSync(path);
  changed[0] ^= 1;
  writeFileSync(path, changed);
  const { stderr, status } = train();
  expect(status).toBe(1);
  expect(stderr).toMatch(/ValueError: .*0001\.u32 is not what the run was trained on: it hashes to/);
});

it("runs that kept hashes alone are refused", async () => {
  const hashes = scratch.path("hashes");
  const args = ["--set", "record.orders=hash", "--set", "arms.hardest.order=shuffled", "--set", "epochs=1"];
  expect(await ibatch(["run", config, "--out", hashes, "--quiet", ...args])).toMatchObject({ code: 0 });
  const { code, stderr } = await ibatch(["export", hashes, "--to", "torch"]);
  expect(stderr).toMatch(/holds no orders: .*orders: full\n$/);
  expect(code).toBe(2);
});
