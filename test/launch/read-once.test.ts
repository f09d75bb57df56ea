// What a run wrote is read again once: for its list of checksums when it ends, and for results and page together.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { runExperiment } from "../../src/launch/run-experiment.js";
import { FakeBackend } from "../experiment/fake-backend.js";
import { CONFIG, temporaryDirectory } from "../experiment/scene.js";

const reads = vi.hoisted(() => new Map<string, number>());
vi.mock("node:fs", async (original) => {
  const fs = await original<typeof import("node:fs")>();
  const readFileSync = (...args: Parameters<typeof fs.readFileSync>) => {
    reads.set(String(args[0]), (reads.get(String(args[0])) ?? 0) + 1);
    return fs.readFileSync(...args);
  };
  return { ...fs, readFileSync };
});
vi.mock("../../src/backend/backend.js", () => ({
  openBackend: async () => ({ client: new FakeBackend(), stop: async () => {} }),
}));

test("files of a run that has just finished are hashed once and read once", async () => {
  const [path, out] = [join(temporaryDirectory(), "small.yaml"), join(temporaryDirectory(), "run")];
  writeFileSync(path, CONFIG);
  const { summary } = await runExperiment(path, { out });
  expect(summary.arms[0].done).toBeGreaterThan(0);
  const run = join(out, "frozen", "seed-1");
  const times = (name: string) => reads.get(join(run, name));
  expect(["metrics.jsonl", "timings.jsonl", "orders/0000.json"].map(times)).toEqual([2, 2, 2]);
});
