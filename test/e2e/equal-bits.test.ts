import { execFileSync } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { packageRoot } from "../../src/package-root.js";
import { shareOfTests } from "../full-size.js";
import { coldPython, warmPython } from "../warm-python/python.js";
import { ibatch, Scratch, smallConfig } from "./ibatch.js";
import { recordedBytes, tableOf } from "./recorded-bytes.js";

describe("a recorded experiment", () => {
  const scratch = new Scratch();
  const first = scratch.path("first");
  let config: string;

  async function run(out: string, settings: string[] = [], python = warmPython): Promise<string> {
    const args = ["run", config, "--out", out, ...settings.flatMap((text) => ["--set", text])];
    const ended = await ibatch(args, { IBATCH_PYTHON: python });
    expect(ended).toMatchObject({ code: 0 });
    return ended.stdout;
  }

  beforeAll(async () => {
    const evaluated = "{ trainSample: 100, perEpoch: 3, averaged: { last: 0.4 } }";
    config = scratch.write("small.yaml", smallConfig.replace("{ trainSample: 100 }", evaluated));
    await run(first);
  });
  afterAll(() => scratch.remove());

  const metricsOf = (directory: string): string[] =>
    ["shuffled", "heterogeneous"].map((arm) => readFileSync(join(directory, arm, "seed-0/metrics.jsonl"), "utf8"));

  it("has a line of metrics for every epoch, and arms that differ", () => {
    const [shuffled, heterogeneous] = metricsOf(first).map((text) => text.trimEnd().split("\n"));
    expect(shuffled).toHaveLength(2);
    expect(heterogeneous).toHaveLength(2);
    expect(shuffled).not.toEqual(heterogeneous);
  });

  it("is equal byte for byte when the same config runs again", async () => {
    const again = scratch.path("again");
    await run(again, [], coldPython); // with other hashes of its strings
    const recorded = recordedBytes(first);
    expect(Object.keys(recorded).length).toBeGreaterThan(10);
    expect(recordedBytes(again)).toEqual(recorded);
  });

  const SIZES: readonly (readonly [string, number])[] = [
    ["ten messages", 2],
    ["one message", 1000],
    ["a message for each batch", 1],
  ];
  it.each(shareOfTests(SIZES, 3))("is equal byte for byte when an epoch goes out as %s", async (_, chunkBatches) => {
    const directory = scratch.path(`chunks-${chunkBatches}`);
    await run(directory, [`backend.chunkBatches=${chunkBatches}`]);
    expect(metricsOf(directory)).toEqual(metricsOf(first));
  });

  it("is equal byte for byte, and has the same table, when two jobs train its runs side by side", async () => {
    const directory = scratch.path("two-jobs");
    const ended = await ibatch(["run", config, "--out", directory, "--jobs", "2"]);
    expect(ended).toMatchObject({ code: 0 });
    expect(recordedBytes(directory)).toEqual(recordedBytes(first));
    expect(tableOf(directory)).toBe(tableOf(first));
    const log = readFileSync(join(directory, "log.txt"), "utf8");
    const [starts, ends] = [/ started$/gm, / done: /gm].map((line) =>
      [...log.matchAll(line)].map(({ index }) => index),
    );
    expect(Math.max(...starts), "both are under way before one ends").toBeLessThan(Math.min(...ends));
  });

  it("is equal byte for byte, and has the same table, when two shards in directories of their own are merged", async () => {
    const shards = [0, 1].map((index) => scratch.path(`shard-${index}`));
    for (const [index, directory] of shards.entries()) {
      const ended = await ibatch(["run", config, "--out", directory, "--shard", `${index}/2`]);
      expect(ended).toMatchObject({ code: 0 });
      expect(ended.stdout, "what is missing is told").toContain("1 missing");
      const missing = index === 0 ? "heterogeneous" : "shuffled";
      expect(ended.stdout).toContain(`${missing}, seed 0: no run on record`);
    }
    const whole = scratch.path("merged");
    const ended = await ibatch(["merge", ...shards, "--out", whole]);
    const stderr = expect.stringMatching(/^ibatch: merged \d+ runs from [^\n]*\n$/);
    expect(ended).toMatchObject({ code: 0, stderr, stdout: expect.stringContaining(`Recorded in ${whole}`) });
    expect(recordedBytes(whole)).toEqual(recordedBytes(first));
    expect(tableOf(whole)).toBe(tableOf(first));
    const status = await ibatch(["status", whole]);
    expect(status.stdout).toContain("2 runs: 2 done");
  });

  it("is equal byte for byte when two shards write into one directory, and whoever ends last has the table of all", async () => {
    const directory = scratch.path("shared");
    const shards = [0, 1].map((index) => ibatch(["run", config, "--out", directory, "--shard", `${index}/2`]));
    expect(await Promise.all(shards)).toMatchObject([{ code: 0 }, { code: 0 }]);
    expect(recordedBytes(directory)).toEqual(recordedBytes(first));
    expect(tableOf(directory)).toBe(tableOf(first));
    rmSync(join(directory, "table.md"));
    expect(await ibatch(["report", directory])).toMatchObject({ code: 0 });
    expect(tableOf(directory), "made again by ibatch report").toBe(tableOf(first));
  });

  it("differs for another seed", async () => {
    const directory = scratch.path("other-seed");
    const ended = await ibatch(["run", config, "--out", directory, "--seeds", "7,"]);
    expect(ended.code).toBe(0);
    const other = readFileSync(join(directory, "shuffled/seed-7/metrics.jsonl"), "utf8");
    expect(other).not.toEqual(metricsOf(first)[0]);
  });

  it("shares initial weights and data between the arms of a seed", () => {
    const [one, two] = ["shuffled", "heterogeneous"].map(
      (arm) => JSON.parse(readFileSync(join(first, arm, "seed-0/run.json"), "utf8")).surroundings,
    );
    expect(one.initialWeightsSha256).toMatch(/^[0-9a-f]{64}$/);
    expect(one.initialWeightsSha256).toBe(two.initialWeightsSha256);
    expect(one.dataSha256).toBe(two.dataSha256);
  });

  it("has order files whose hashes the README's Python recomputes", () => {
    const readme = readFileSync(join(packageRoot, "README.md"), "utf8");
    const snippet = /```python\n# check the recorded orders\n([\s\S]*?)```/.exec(readme)?.[1];
    expect(snippet, "the README shows how to check the recorded orders").toBeDefined();
    const check = (directory: string) =>
      execFileSync(warmPython, ["-c", String(snippet)], { cwd: directory, encoding: "utf8" });
    expect(check(join(first, "shuffled/seed-0")).trim().split("\n")).toEqual(["0 True", "1 True"]);
  });

  it("was trained on the recorded order: the plan's hash is that of the parts on disk", () => {
    const script = `
import hashlib, json, numpy as np
plan = json.load(open("orders/0001.json"))
parts = [np.fromfile("orders/0001.u32", "<u4"), np.array(plan["offsets"], "<u4"), np.array(plan["learningRates"], "<f8")]
print(hashlib.sha256(b"".join(part.tobytes() for part in parts)).hexdigest() == plan["planSha256"])
print(sorted(parts[0].tolist()) == sorted(set(parts[0].tolist())), len(parts[0]))
losses = np.fromfile("signals/loss/0001.f32", "<f4")
print(len(losses), int(np.isfinite(losses).sum()), bool(np.isfinite(losses[parts[0]]).all()))
mean = losses[parts[0]].astype("f8").mean()
print(abs(mean - json.loads(open("metrics.jsonl").readlines()[1])["train"]["loss"]) < 1e-12)`;
    const out = execFileSync(warmPython, ["-c", script], { cwd: join(first, "shuffled/seed-0"), encoding: "utf8" });
    expect(out.trim().split("\n")).toEqual(["True", "True 315", "1437 315 True", "True"]);
  });
});
