import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { readTuning } from "../../src/record/tuning-record.js";
import { ibatch, Scratch } from "./ibatch.js";

/** Learning rates tuned on real digits, through the built command and a real backend. */

const scratch = new Scratch();
afterAll(() => scratch.remove());

const CONFIG = `name: tuned
dataset: { name: digits, subset: 200 }
model: { name: mnist-cnn, convDropout: 0, fcDropout: 0 }
optimizer: { name: sgd, momentum: 0.9 }
schedule: constant
batching: { name: constant, size: 20 }
epochs: 2
seeds: 1
tune: { learningRate: [0.000001, 0.02], seeds: 1, validation: 0.2 }
evaluation: { trainSample: 0 }
backend: { threads: 1, device: cpu }
arms:
  shuffled: { order: shuffled }
  half: { order: { name: random-subset, fraction: 0.5 } }
`;

it("each arm has the rate that learns; the test set is measured in its own runs alone; table, report and status say so", async () => {
  const directory = scratch.path("out");
  const ended = await ibatch(["run", scratch.write("x.yaml", CONFIG), "--quiet", "--out", directory]);
  expect(ended).toMatchObject({ code: 0, stderr: "" });
  const { arms = [], validation } = readTuning(directory) ?? {};
  expect(validation).toEqual({ share: 0.2, samples: 40 });
  expect(arms.map(({ arm, rate, cost }) => [arm, rate, cost.runs, cost.samples])).toEqual([
    ["shuffled", 0.02, 2, 640],
    ["half", 0.02, 2, 320],
  ]);
  const metrics = (run: string): Record<string, unknown>[] =>
    readFileSync(join(directory, run, "metrics.jsonl"), "utf8")
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
  for (const rate of ["0.000001", "0.02"]) {
    const run = `tuning/shuffled-lr${Number(rate)}/seed-1000000`;
    for (const line of metrics(run)) {
      expect(line).toMatchObject({ samples: 160, validation: { count: 40 } });
      expect(line).not.toHaveProperty("test");
    }
    expect(existsSync(join(directory, run, "test-predictions.u32"))).toBe(false);
  }
  for (const line of metrics("shuffled/seed-0")) {
    expect(line).toMatchObject({ samples: 200, test: { count: 360 }, learningRate: { first: 0.02 } });
  }
  expect(ended.stdout).toMatch(/^\| shuffled +\| +0.02 ! \|/m);
  expect(ended.stdout).toContain("Tuning took 4 runs, which trained on 960 samples, beside the 600");
  expect(readFileSync(join(directory, "report.html"), "utf8")).toContain('id="tuning"');
  const { stdout } = await ibatch(["status", directory]);
  expect(stdout).toContain("2 runs: 2 done; before them tuning, 4 runs: 4 done");
  const exported = await ibatch(["export", directory, "--to", "markdown"]);
  const table = readFileSync(join(directory, "table.md"), "utf8");
  expect(exported.stdout).toBe(table);
  const small = scratch.path("small");
  await ibatch(["export", directory, "--to", "metrics", "--out", small]);
  expect((await ibatch(["export", small, "--to", "markdown"])).stdout, "of the small files alone").toBe(table);
});
