// What the one command for a GPU runs, and how it judges. It is run whole, on a CPU, by test/nightly/pack.nightly.ts.
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { readOptions } from "../../scripts/cuda/options.mjs";
import { type Benches, barRows, pageText, verdictOf } from "../../scripts/cuda/page.mjs";
import { partsOf } from "../../scripts/cuda/parts.mjs";
import { failure } from "./fake-machine.js";

const now = new Date("2026-12-01T10:20:30Z");
const programs = { ibatch: ["node", "main.js"], python: ["python"] };

function parts(args: string[], data = "/no/such") {
  return partsOf(readOptions(["--data", data, "--out", "/out", ...args], { now }), programs, "/clone");
}

/** Of loops that are so many times as quick as the bare one. */
const measured = (ours: number, eager: number, shareOfEpoch: number, isEqual = true): Benches["float32"] => ({
  machine: {
    deviceName: "A card",
    device: "cuda:0",
    processor: "A processor",
    cores: 16,
    versions: { torch: "2.13.0", driver: "1.2" },
  },
  cases: ["mnist-cnn", "resnet18"].map((model) => ({
    model,
    loops: [
      { name: "ours", samplesPerSecond: 1000 * ours },
      { name: "eager", samplesPerSecond: 1000 * eager },
      { name: "bare", samplesPerSecond: 1000 },
    ],
    control: { shareOfEpoch },
    twice: { equal: isEqual || model !== "resnet18" },
  })),
});

describe("options", () => {
  test("have a new folder named by the time, and the data that ibatch would take", () => {
    expect(readOptions([], { now, env: { IBATCH_DATA: "/sets" } })).toMatchObject({
      device: "cuda:0",
      data: "/sets",
      out: resolve("gpu-check-20261201T1020"),
      small: false,
    });
    expect(readOptions([], { now, env: {} }).data).toBe(resolve("data"));
  });

  test.each([
    [["--device", "gpu"], "--device gpu. Expected: cpu or cuda:N."],
    [["--fast"], "Unknown option '--fast'. Expected: what --help lists."],
  ])("%j is refused", async (args, says) => {
    expect(
      await failure(
        Promise.resolve().then(() => readOptions(args)),
        2,
      ),
    ).toContain(says);
  });
});

describe("parts", () => {
  test("take ten minutes at most, all on the device that is asked for", () => {
    const all = parts(["--device", "cuda:1"]);
    expect(all.map(({ name }) => name)).toEqual([
      "doctor",
      "float32",
      "bfloat16",
      "equal-bits",
      "tests",
      "broken-device",
      "resnet18",
    ]);
    expect(all.reduce((sum, { limit }) => sum + limit, 0)).toBeLessThanOrEqual(600);
    const ours = all.filter(({ command }) => command[0] === "node");
    expect(ours.map(({ command }) => command.slice(-1)[0] === "cuda:1" || command.includes("cuda:1"))).toEqual([
      ...[true, true, true, true, true, true],
    ]);
  });

  test("leave ResNet-18 out where there is no CIFAR-10, and say so", () => {
    const data = mkdtempSync(join(tmpdir(), "ibatch-cuda-"));
    onTestFinished(() => rmSync(data, { recursive: true, force: true }));
    expect(parts([], data).at(-1)?.skipped).toBe(`no CIFAR-10 in ${data}; --data DIR names another folder`);
    mkdirSync(join(data, "cifar-10-batches-bin"));
    expect(parts([], data).at(-1)).toMatchObject({ name: "resnet18", skipped: undefined });
  });

  test("are small where that is asked for", () => {
    const small = parts(["--small"]).map(({ command }) => command.join(" "));
    expect(small[1]).toContain("--model mnist-cnn --samples 128 --rounds 1");
    expect(small[6]).toContain("--set dataset.subset=64 --set epochs=2");
  });
});

describe("verdicts", () => {
  const ended = { code: 0, signal: null, errno: null, output: "one\nlast line\n" };

  test.each([
    ["passed", {}, "", undefined],
    ["failed", { code: 3 }, "exit code 3: last line", undefined],
    ["failed", { code: null, signal: "SIGKILL" }, "SIGKILL: last line", undefined],
    ["out of time", { code: null, errno: "ABORT_ERR" }, "longer than its 20 s", undefined],
    ["not run", {}, "no data", "no data"],
  ])("%s, %j", (verdict, result, why, skipped) => {
    expect(verdictOf({ limit: 20, skipped, result: { ...ended, ...result } })).toEqual({ verdict, why });
  });

  test("of tests that were all skipped is that they were not run", () => {
    const result = { ...ended, output: "SKIPPED [1] a.py: no GPU\n87 skipped in 0.29s\n" };
    expect(verdictOf({ limit: 20, result })).toEqual({ verdict: "not run", why: "87 skipped in 0.29s" });
    const some = { ...ended, output: "80 passed, 7 skipped in 9.29s\n" };
    expect(verdictOf({ limit: 20, result: some })).toEqual({ verdict: "passed", why: "" });
  });

  test("of what does not say what it should is that it failed", () => {
    const part = { limit: 20, expected: "the device broke", result: ended };
    expect(verdictOf(part)).toEqual({ verdict: "failed", why: "it does not say `the device broke`" });
    expect(verdictOf({ ...part, result: { ...ended, output: "2: the device broke\n" } }).verdict).toBe("passed");
  });

  test("of bars are reached, missed, or not run, which a CPU never is", () => {
    const verdicts = (benches: Benches, isGpu = true) => barRows(benches, isGpu).map(({ verdict }) => verdict);
    const good = { float32: measured(1, 1, 0.01), bfloat16: measured(2.5, 1, 0.01), equalBits: measured(1, 1, 0.01) };
    const bad = {
      float32: measured(0.9, 1, 0.01),
      bfloat16: measured(1.9, 0.9, 0.05),
      equalBits: measured(1, 1, 0.01, false),
    };
    const all = (verdict: string) => Array.from({ length: 5 }, () => verdict);
    expect(verdicts(good)).toEqual(all("reached"));
    expect(verdicts(bad)).toEqual(all("missed"));
    expect(verdicts({ ...good, float32: undefined, equalBits: undefined })).toEqual([
      "not run",
      "reached",
      "reached",
      "reached",
      "not run",
    ]);
    expect(verdicts(good, false)).toEqual(all("not run"));
  });

  test("stand on a page with machine, command, commit, and what each part said", () => {
    const part = { name: "doctor", verdict: "passed", why: "", seconds: 2.4, output: "ok  Node\n" };
    const lost = {
      name: "tests",
      verdict: "failed",
      why: "exit code 1: a|b",
      seconds: 70,
      output: "line\n".repeat(400),
    };
    const page = pageText({
      parts: [part, lost],
      benches: { float32: measured(1, 1, 0.01), bfloat16: undefined, equalBits: undefined },
      isGpu: true,
      command: "./check-gpu",
      commit: "abc",
      date: "2026-12-01",
    });
    expect(page).toContain(
      "Command: `./check-gpu`, commit abc, 2026-12-01.\nA card (cuda:0), A processor with 16 cores, torch 2.13.0, driver 1.2.",
    );
    expect(page).toContain("| tests | failed | 70 | exit code 1: a\\|b |");
    expect(page).toContain("| ours beside the bare loop, ResNet-18, float32 | at least 0.95 × | 1.00 × | reached |");
    expect(page).toContain("## doctor\n\n```\nok  Node\n```");
    expect(page).toContain("… 250 lines …");
    expect(page).not.toContain("This was a CPU");
  });
});
