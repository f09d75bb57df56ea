/** `ibatch validate` with the real backend and the real pythonia: what passes, and that each planted fault is named. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { packageRoot } from "../../src/package-root.js";
import { check } from "../../src/record/validation-record.js";
import { isFullSize, shareOfTests } from "../full-size.js";
import { coldPython, warmPython } from "../warm-python/python.js";
import { commandsWith } from "./commands-with.js";
import { ibatch, Scratch } from "./ibatch.js";

/** What differs from its neighbours in the fault alone. */
const oneMore = it.runIf(isFullSize);

const scratch = new Scratch();
afterAll(() => scratch.remove());

const OWN = ["--python-path", join(packageRoot, "test/references"), "--allow-import", "loops"];
const config = (name: string, changes: string) =>
  scratch.write(
    `${name}.yaml`,
    `name: ${name}
dataset: { name: digits, subset: 200 }
model: { name: mnist-cnn${changes.includes("model") ? "" : ", convDropout: 0, fcDropout: 0"} }
optimizer: { name: sgd, momentum: 0.9, weightDecay: 5.0e-4 }
schedule: { name: cosine, learningRate: 0.05 }
batching: { name: constant, size: 32 }
epochs: 2
seeds: [5]
evaluation: { trainSample: 100 }
backend: { threads: 1, device: cpu }
arms: { shuffled: { order: shuffled } }
${changes.replace("model", "")}`,
  );
const plain = config("plain", "");

let outs = 0;
/** In the environment of the command and of whatever it starts. */
const MARK = "IBATCH_TEST_COMMAND";
const document = z.object({ checks: z.array(check) });

const validated = (path: string, ...args: string[]) => validatedBy(warmPython, path, ...args);

async function validatedBy(python: string, path: string, ...args: string[]) {
  const out = scratch.path(`out-${outs++}`);
  const command = ["validate", path, "--batches", "9", "--json", "--out", out, ...args];
  const { code, stdout, stderr } = await ibatch(command, { [MARK]: out, IBATCH_PYTHON: python });
  const checks = stdout === "" ? [] : document.parse(JSON.parse(stdout)).checks;
  const failed = checks.filter(({ verdict }) => verdict === "fail");
  return {
    out,
    code,
    stdout,
    stderr,
    checks,
    failed,
    leftBehind: commandsWith(MARK, out),
    named: (name: string) => failed.find((line) => line.name === name),
  };
}

describe.concurrent("the textbook loop gives the backend's bits", () => {
  const LOOPS: readonly (readonly [string, string, readonly string[]])[] = [
    ["with dropout and augmentation", config("noisy", "model\naugmentation: { crop: 2, flip: true }\n"), []],
    ["over more than one epoch", plain, []],
    ["with Adam, weights and micro-batches", plain, ["--set", "optimizer={name: adam}", "--set", "microBatch=20"]],
    [
      "with an order that reads losses and gives weights",
      plain,
      ["--set", "arms.shuffled.order={name: weighted, fraction: 0.5, unbiased: true}", "--set", "epochs=3"],
    ],
    [
      "with smoothed labels, channels first",
      plain,
      ["--set", "loss={ name: cross-entropy, labelSmoothing: 0.2 }", "--set", "backend.channelsLast=off"],
    ],
    ["as does a user's own loop", plain, ["--loop", "loops:train", ...OWN]],
  ];
  it.each(shareOfTests(LOOPS, 2))("%s", async (_, path, args) => {
    const { code, checks, failed, stderr } = await validated(path, ...args);
    expect({ code, failed, stderr: code === 0 ? "" : stderr }).toEqual({ code: 0, failed: [], stderr: "" });
    expect(checks.map(({ name }) => name)).toEqual(
      expect.arrayContaining([
        "order of epoch 1",
        "plan of epoch 1",
        "losses at every step",
        "weights after all 9 steps",
      ]),
    );
    expect(new Set(checks.slice(-5).map(({ tolerance }) => tolerance))).toEqual(new Set(["equal bits"]));
  });

  it("and in bfloat16 it stays within what is stated", async () => {
    const { code, checks } = await validated(plain, "--set", "precision=bfloat16");
    expect(code).toBe(0);
    expect(checks.at(-1)?.tolerance).toBe("0.01 of the largest (bfloat16)");
  });
});

it("is recorded in the experiment's directory, run before or not, and stands in its report", async () => {
  const out = scratch.path("recorded");
  const validate = (...args: string[]) => ibatch(["validate", plain, "--batches", "2", "--out", out, ...args]);
  const report = async () => {
    expect((await ibatch(["report", out])).code).toBe(0);
    return readFileSync(join(out, "report.html"), "utf8");
  };
  expect(await validate()).toMatchObject({ code: 0, stderr: expect.stringContaining(`recorded in ${out}`) });
  expect(await report()).toContain("All of 6 checks passed: arm shuffled, seed 5, 2 batches, against a textbook loop");
  expect((await ibatch(["run", plain, "--out", out, "--quiet"])).code).toBe(0);
  const page = await report();
  expect(page).toContain("weights after all 2 steps");
  expect(page).not.toContain("other settings than those that were validated");
  expect(await validate("--set", "arms.shuffled.augmentation.flip=true")).toMatchObject({ code: 0 });
  expect(await report()).toContain("other settings than those that were validated");
});

describe.concurrent("a fault in the user's loop makes it fail with the right line", () => {
  const loop = (name: string) => validated(plain, "--loop", `loops:${name}`, ...OWN);

  it("momentum off by 0.01: equal after one step, no more after two", async () => {
    const { code, failed, named } = await loop("momentum_off");
    expect(code).toBe(1);
    expect(named("weights after step 1")).toBeUndefined();
    expect(named("weights after step 2")?.detail).toMatch(/^all tensors differ, first conv1\.weight/);
    expect(named("losses at every step")?.detail).toMatch(/^first at step 2: /);
    expect(failed.some(({ name }) => name.startsWith("order"))).toBe(false);
  });

  it("weight decay on biases: only they differ after a step", async () => {
    const { code, named } = await loop("no_decay_on_biases");
    expect(code).toBe(1);
    expect(named("weights after step 1")?.detail).toMatch(
      /^3 of 6 tensors differ, first conv1\.bias by .*; only biases do$/,
    );
  });

  it("a shuffled batch: order and plan, not the weights after the step before it", async () => {
    const { code, named } = await loop("shuffled_batch");
    expect(code).toBe(1);
    expect(named("order of epoch 0")?.detail).toMatch(
      /^TypeScript and the backend: \w{8}; loops:shuffled_batch: \w{8}$/,
    );
    expect(named("plan of epoch 0")).toBeDefined();
    expect(named("order of epoch 1")).toBeUndefined();
    expect(named("weights after step 1")).toBeUndefined();
    expect(named("losses at every step")?.detail).toMatch(/^first at step 1: /);
  });

  oneMore("one index exchanged: order, and the loss of that step", async () => {
    const { code, named } = await loop("exchanged_index");
    expect(code).toBe(1);
    expect(named("order of epoch 0")).toBeDefined();
    expect(named("losses at every step")?.detail).toMatch(/^first at step 1: /);
    expect(named("weights after step 2")?.detail).toMatch(/^all tensors differ/);
  });

  oneMore("another denominator: every update is the same share of ours", async () => {
    const { code, named } = await loop("other_denominator");
    expect(code).toBe(1);
    expect(named("weights after step 1")?.detail).toMatch(
      /its updates are about 0\.97\d of those here, in each of them/,
    );
  });
});

describe.concurrent("a reference model", () => {
  const noisy = config("as-it-is", "model\n");
  const reference = (name: string) => {
    const [module = ""] = name.split(":");
    return validated(noisy, "--batches", "2", "--reference", name, ...OWN, "--allow-import", module);
  };

  it("that is the same network passes, names, dropout and all", async () => {
    const { code, checks, stderr } = await reference("mnist:MnistNet");
    expect({ code, stderr: code === 0 ? "" : stderr }).toEqual({ code: 0, stderr: "" });
    expect(checks.filter(({ name }) => name.startsWith("model: ")).map(({ verdict }) => verdict)).toEqual(
      Array.from({ length: 8 }, () => "pass"),
    );
    expect(checks.find(({ name }) => name === "model: parameters")?.measured).toContain("6 tensors, 20,074 values");
  });

  it("without a bias fails, and the bias is named", async () => {
    const { code, failed, checks } = await reference("faults:missing_bias");
    expect(code).toBe(1);
    expect(failed.map(({ name, detail }) => [name, detail])).toEqual([
      ["model: parameters", "ours has conv2.bias [32], which the reference lacks"],
    ]);
    expect(checks.filter(({ verdict }) => verdict === "skipped")).toHaveLength(6);
  });

  oneMore("with dropout in evaluation fails there", async () => {
    const { code, failed } = await reference("faults:DropoutInEvaluation");
    expect(code).toBe(1);
    expect(failed.map(({ name, detail }) => [name, detail])).toEqual([
      ["model: forward, evaluation mode", expect.stringContaining("dropout in evaluation?")],
    ]);
  });
});

describe.concurrent("accuracy after whole trainings", () => {
  const whole = config("whole", "equivalenceMargin: 0.2\n");
  const seeds = ["--set", "seeds=[1, 2]", "--batches", "2", "--accuracy"];
  const line = (checks: readonly z.infer<typeof check>[]) => checks.find(({ name }) => name.startsWith("accuracy"));

  it("is the same in the plain loop, from the same weights and orders", async () => {
    const { out, code, checks, stderr } = await validated(whole, ...seeds);
    expect(existsSync(join(out, "shuffled/seed-2/run.json"))).toBe(true);
    expect({ code, stderr: code === 0 ? "" : stderr }).toEqual({ code: 0, stderr: "" });
    expect(line(checks)).toMatchObject({
      name: "accuracy after 2 epochs, 2 seeds",
      verdict: "pass",
      measured: "0.00 points (90 % interval 0.00 to 0.00)",
      tolerance: "within ±20.00 points, p < 0.05",
    });
  });

  oneMore("of a loop that learns less is not equivalent", async () => {
    const { code, checks } = await validated(
      whole,
      ...seeds,
      "--loop",
      "loops:other_denominator",
      ...OWN,
      "--set",
      "equivalenceMargin=1.0e-6",
    );
    expect(code).toBe(1);
    expect(line(checks)?.verdict).toBe("fail");
  });

  it.each([
    [
      "a margin in loss",
      whole,
      ["--accuracy", "--set", "primary=loss"],
      /--accuracy needs a margin in test accuracy, and this one is in test loss/,
    ],
    ["no margin", plain, ["--accuracy"], /plain\.yaml: --accuracy needs `equivalenceMargin`/],
    ["one seed", whole, ["--accuracy"], /needs 2 at least, not 1/],
    ["orders that are only hashes", whole, [...seeds, "--set", "record.orders=hash"], /take full/],
    [
      "another evaluation than PyTorch's",
      whole,
      [...seeds, "--set", "evaluation.batchNorm=reestimated"],
      /take running, not reestimated/,
    ],
    ["a seed", whole, [...seeds, "--seed", "1"], /--seed 1: --accuracy is over all seeds/],
  ])("%s is refused", async (_, path, args, says) => {
    const { code, stderr } = await ibatch(["validate", path, ...args]);
    expect(stderr).toMatch(says);
    expect(code).toBe(2);
  });
});

describe("whatever Python does, it ends with a clear line and leaves nobody behind", () => {
  it.each([
    ["raises", [], /^ibatch: .*ValueError: there is no such layer/m],
    ["dies", [], /^ibatch: Python ended \(exit code 7\) while it was asked for `train`/m],
    ["hangs", ["--limit", "8"], /^ibatch: Python did not answer within 8 s \(`train`\): raise --limit/m],
    ["exits", [], /^ibatch: .*sys\.exit\(3\)/m],
  ])("%s", async (name, args, says) => {
    const command = ["--loop", `loops:${name}`, ...OWN, ...args];
    const { code, stdout, stderr, leftBehind } = await validatedBy(coldPython, plain, ...command);
    expect(leftBehind).toEqual([]);
    expect(stderr).toMatch(says);
    expect({ code, stdout }).toEqual({
      code: name === "raises" || name === "exits" ? expect.any(Number) : 3,
      stdout: "",
    });
    expect(code).not.toBe(0);
  });

  it("its limit is one of questions: Python may take longer to start", async () => {
    const { code, stderr } = await validatedBy(coldPython, plain, "--limit", "0.05");
    expect(stderr).toMatch(/^ibatch: Python did not answer within 0\.05 s \(`\w+`\): raise --limit/m);
    expect(code).toBe(3);
  });

  it("a loop that was not allowed, an arm that is not there", async () => {
    const notAllowed = await ibatch(["validate", plain, "--loop", "loops:train"]);
    expect(notAllowed).toEqual({
      code: 2,
      stdout: "",
      stderr: "ibatch: --loop loops:train runs code of yours: allow it with --allow-import loops\n",
    });
    const noArm = await ibatch(["validate", plain, "--arm", "shufled"]);
    expect(noArm).toEqual({
      code: 2,
      stdout: "",
      stderr: 'ibatch: --arm shufled: no arm "shufled"; did you mean `shuffled`?\n',
    });
  });
});
