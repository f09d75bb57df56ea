/** The command as a smoke test on the CPU: what it writes, and that what it says follows from what it measured. */
import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { afterAll, expect, test } from "vitest";
import { type BenchDocument, benchDocument } from "../../src/record/bench-document.js";
import { coldPython } from "../warm-python/python.js";
import { ibatch, Scratch, startIbatch } from "./ibatch.js";
import { endWithTest, processesIn } from "./processes.js";

const scratch = new Scratch();
afterAll(() => scratch.remove());

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1];

function checkFigures({ cases, rounds }: BenchDocument): void {
  for (const { loops, samples, control, product } of cases) {
    const [ours] = loops;
    for (const { seconds, samplesPerSecond, oursIs } of loops) {
      const ratios = seconds.map((theirs, round) => theirs / ours.seconds[round]);
      expect(seconds).toHaveLength(rounds);
      expect(samplesPerSecond).toBeCloseTo(samples / median(seconds), 6);
      expect(oursIs.median).toBeCloseTo(median(ratios), 9);
      expect([oursIs.least, oursIs.most]).toEqual([Math.min(...ratios), Math.max(...ratios)]);
    }
    expect(control.milliseconds).toBeCloseTo(1000 * median(control.seconds), 9);
    expect(control.shareOfEpoch).toBeCloseTo(median(control.seconds.map((s, round) => s / ours.seconds[round])), 9);
    control.seconds.forEach((seconds, round) => {
      expect(seconds).toBeGreaterThan(0);
      expect(seconds).toBeLessThan(ours.seconds[round]);
    });
    if (product === null) continue;
    const reached = product.operationsOfSample * ours.samplesPerSecond;
    expect(product.share).toBeCloseTo(reached / median(product.rates), 9);
  }
}

test("one network, in one round: a table, and a file from which its figures follow", async () => {
  const json = scratch.path("bench.json");
  const small = ["--rounds", "1", "--samples", "160", "--model", "mnist-cnn", "--workers", "1", "--threads", "1"];
  const { code, stdout, stderr } = await ibatch(["bench", "--device", "cpu", ...small, "--json", json]);
  expect({ code, stderr }).toMatchObject({ code: 0 });
  const document = benchDocument.parse(JSON.parse(readFileSync(json, "utf8")));
  expect(document).toMatchObject({
    machine: { device: "cpu", node: process.versions.node, versions: { torch: expect.stringMatching(/^\d/) } },
    ...{ threads: 1, rounds: 1, precision: "float32", workers: 1, isRealData: false },
    command: expect.stringContaining("bench --device cpu"),
  });
  expect(document.cases.map(({ model, batchSize, samples }) => [model, batchSize, samples])).toEqual([
    ["mnist-cnn", 64, 160],
  ]);
  expect(document.cases[0].loops.map(({ name }) => name)).toEqual(["ours", "bare", "bare-kept", "textbook"]);
  checkFigures(document);
  for (const { twice, loops } of document.cases) {
    expect(twice).toMatchObject({ batches: 3, equal: true });
    expect(new Set(twice.weightsSha256).size).toBe(1);
    expect(new Set(twice.lossesSha256).size).toBe(1);
    for (const { peakBytes } of loops) expect(peakBytes).toBeGreaterThan(2 ** 24);
    expect(stdout).toContain("the same 3 batches twice: equal bits");
  }
  expect(stdout).toContain("mnist-cnn, batches of 64, 160 samples a round, channels_last");
  expect(stdout.split("\n").filter((line) => line.length > 80)).toEqual([]);
});

test("ours alone, over three rounds, in mixed precision", async () => {
  const json = scratch.path("alone.json");
  const how = ["--model", "mnist-cnn", "--against", "none", "--augment", "--rounds", "3", "--samples", "128"];
  const args = ["bench", "--device", "cpu", "--threads", "1", "--precision", "bfloat16", ...how, "--json", json];
  const { code } = await ibatch(args);
  expect(code).toBe(0);
  const document = benchDocument.parse(JSON.parse(readFileSync(json, "utf8")));
  expect(document.cases).toMatchObject([{ product: null, loops: [{ name: "ours" }], twice: { equal: true } }]);
  checkFigures(document);
});

test("ours beside itself without `backend.fast`, at a backend of its own", async () => {
  const json = scratch.path("eager.json");
  const how = ["--model", "mnist-cnn", "--against", "eager", "--rounds", "1", "--samples", "128", "--threads", "1"];
  const { code, stdout } = await ibatch(["bench", "--device", "cpu", ...how, "--json", json]);
  expect({ code, stdout }).toEqual({
    code: 0,
    stdout: expect.stringContaining("steps of ours: one operation at a time"),
  });
  const document = benchDocument.parse(JSON.parse(readFileSync(json, "utf8")));
  expect(document.cases).toMatchObject([
    { loops: [{ name: "ours" }, { name: "eager" }], product: null, recordedSteps: false, fusedUpdates: false },
  ]);
  checkFigures(document);
});

test("Ctrl-C in the middle of a round leaves no file, and no process", async () => {
  const json = scratch.path("interrupted.json");
  const temporary = scratch.path("tmp");
  mkdirSync(temporary);
  endWithTest(temporary);
  const long = ["--model", "mnist-cnn", "--against", "textbook", "--rounds", "1000", "--samples", "640"];
  const { child, ended } = startIbatch(["bench", "--device", "cpu", "--threads", "1", ...long, "--json", json], {
    ...{ TMPDIR: temporary, IBATCH_PYTHON: coldPython },
  });
  let isUnderWay = false;
  child.stderr?.on("data", (text: string) => {
    if (!isUnderWay && /round \d+ of 1000/.test(text)) {
      isUnderWay = true;
      child.kill("SIGINT");
    }
  });
  const { code, stderr } = await ended;
  expect({ code, isUnderWay }).toEqual({ code: 130, isUnderWay: true });
  expect(stderr).toMatch(/ibatch: interrupted\n$/);
  expect(existsSync(json)).toBe(false);
  expect(readdirSync(temporary).filter((name) => !name.startsWith("torchinductor"))).toEqual([]); // that is torch's own
  await expect.poll(() => processesIn(temporary), { timeout: 10_000 }).toEqual([]);
});

test("what was measured before Ctrl-C is in the file", async () => {
  const json = scratch.path("first.json");
  const two = [
    "--model",
    "mnist-cnn",
    "--batch-size",
    "64,32",
    "--against",
    "none",
    "--rounds",
    "20",
    "--samples",
    "64",
  ];
  const { child, ended } = startIbatch(["bench", "--device", "cpu", "--threads", "1", ...two, "--json", json], {});
  child.stderr?.on("data", (text: string) => {
    if (text.includes("batches of 32")) child.kill("SIGINT");
  });
  expect((await ended).code).toBe(130);
  const { cases } = benchDocument.parse(JSON.parse(readFileSync(json, "utf8")));
  expect(cases.map(({ batchSize }) => batchSize)).toEqual([64]);
});

test("what cannot be is refused in a line, before anything starts", async () => {
  const refused = async (...args: string[]) => {
    const { code, stdout, stderr } = await ibatch(["bench", ...args]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    return stderr;
  };
  expect(await refused("--model", "mnist")).toBe("ibatch: --model mnist: did you mean `mnist-cnn`?\n");
  expect(await refused("--device", "tpu")).toBe('ibatch: --device: expected auto, cpu or cuda:N, not "tpu"\n');
  expect(await refused("--json", "/nowhere/b.json")).toBe(
    "ibatch: --json /nowhere/b.json: there is no directory /nowhere\n",
  );
  expect(await refused("--json", "")).toBe('ibatch: --json: expected a file to write, as bench.json, not ""\n');
  expect(await refused("--json", scratch.path())).toContain("is a directory; name a file");
  expect(await refused("--device", "cpu", "--model", "resnet18", "--samples", "127")).toContain(
    "--samples 127: fewer than a batch of 128 (resnet18)",
  );
});
