import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { packageRoot } from "../../src/package-root.js";
import { readOrder } from "../../src/record/recorded-orders.js";
import { readSignal } from "../../src/record/recorded-signals.js";
import { warmPython } from "../warm-python/python.js";
import { ibatch, Scratch } from "./ibatch.js";

/** Loss-driven orders on real digits, through the built command and a real backend. */

const scratch = new Scratch();
afterAll(() => scratch.remove());

const config = (arms: string, more = "") => `name: importance
dataset: { name: digits, validation: 37 }
model: { name: mnist-cnn, convDropout: 0, fcDropout: 0 }
optimizer: { name: sgd, momentum: 0.9 }
schedule: { name: constant, learningRate: 0.02 }
batching: { name: constant, size: 32 }
epochs: 3
seeds: 1
evaluation: { trainSample: 100 }
backend: { threads: 1, device: cpu }
${more}arms:
${arms}`;

async function run(name: string, text: string, ...args: string[]) {
  const directory = scratch.path(name, "out");
  const ended = await ibatch([
    "run",
    scratch.write(join(name, "x.yaml"), text),
    "--quiet",
    "--out",
    directory,
    ...args,
  ]);
  return { ...ended, directory };
}

/** What numpy prints of these lines, in a directory. */
function numpy(directory: string, lines: string): string {
  const { stdout, stderr, status } = spawnSync(warmPython, ["-c", lines], { cwd: directory, encoding: "utf8" });
  expect(stderr).toBe("");
  expect(status).toBe(0);
  return stdout.trim();
}

const metrics = (directory: string): Record<string, Record<string, number> | number>[] =>
  readFileSync(join(directory, "metrics.jsonl"), "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));

describe("loss-global, highest first, on digits", () => {
  let directory = "";
  beforeAll(async () => {
    const ended = await run("hardest", config("  hardest: { order: { name: loss-global, first: highest } }\n"));
    expect(ended).toMatchObject({ code: 0, stderr: "" });
    directory = join(ended.directory, "hardest", "seed-0");
  });

  it("trains exactly the order that sorting the recorded losses gives, by the README's lines of numpy", () => {
    const readme = readFileSync(join(packageRoot, "README.md"), "utf8");
    const snippet = /```python\n# hold an order by loss against the recorded losses\n([\s\S]*?)```/.exec(readme)?.[1];
    expect(snippet).toBeDefined();
    const sorted = "print((np.argsort(-losses)[:1400] == order).all(), len(np.unique(losses[order])))";
    expect(numpy(directory, `${snippet}${sorted}`), "1,400 different losses: no tie is left to chance").toBe(
      "True True\nTrue 1400",
    );
  });

  it("its losses are of the epoch before: each sample's age is the steps since its own batch", () => {
    const [first, second] = metrics(directory);
    expect(first.order).not.toHaveProperty("meanLossAgeSteps");
    // 44 batches of the epoch before (the last one of 24), seen 44, 43, … 1 steps ago.
    const ages = Array.from({ length: 44 }, (_, batch) => (44 - batch) * (batch < 43 ? 32 : 24));
    expect(second.order).toMatchObject({ distinct: 1400, mostDrawn: 1, effectiveDataSize: 1400 });
    expect(second.order).toHaveProperty("meanLossAgeSteps", ages.reduce((sum, age) => sum + age, 0) / 1400);
  });

  it("`ibatch order` reads the recorded losses back, and shows the order that was trained", async () => {
    const losses = readSignal(directory, "loss", 1);
    const hardest = losses.reduce(
      (best, loss, index) => (loss > losses[best] ? index : best),
      losses.findIndex(Number.isFinite),
    );
    const { code, stdout } = await ibatch([
      "order",
      "loss-global",
      "--losses",
      join(directory, "signals/loss/0001.f32"),
      "--size",
      "32",
      "--epochs",
      "1",
    ]);
    expect(code).toBe(0);
    expect(stdout).toContain(`${hardest} `);
    expect(readOrder(directory, 2).indices[0]).toBe(hardest);
  });
});

describe("a scoring pass", () => {
  it("gives the losses that plain PyTorch finds with the same weights, before training and after two epochs", async () => {
    const text = config("  scored: { order: { name: loss-global, signal: rescore, start: scored } }\n");
    const ended = await run("scored", text);
    expect(ended).toMatchObject({ code: 0, stderr: "" });
    const directory = join(ended.directory, "scored", "seed-0");
    for (const epoch of [0, 2]) {
      const out = scratch.path(`plain-${epoch}.f32`);
      const script = join(packageRoot, "test/e2e/plain_losses.py");
      const plain = spawnSync(warmPython, [script, directory, String(epoch), "0.02", "0.9", out], { encoding: "utf8" });
      expect(plain.stderr).toBe("");
      const expected = new Float32Array(Uint8Array.from(readFileSync(out)).buffer);
      const seen = readSignal(directory, "scored-loss", epoch);
      const scored = [...seen.keys()].filter((index) => !Number.isNaN(seen[index]));
      expect(scored).toHaveLength(1400);
      const furthest = scored.reduce((most, index) => Math.max(most, Math.abs(seen[index] - expected[index])), 0);
      expect(furthest, `epoch ${epoch}`).toBeLessThan(2e-4);
      const spread = Math.max(...expected) - Math.min(...expected);
      expect(spread, "and the losses differ").toBeGreaterThan(0.1);
    }
    expect(metrics(directory).map(({ scored }) => scored)).toEqual([1400, 1400, 1400]);
  });
});

describe("weighted sampling", () => {
  it("half of the samples an epoch, with weights on record that the backend trained with; two seeds and two epochs differ", async () => {
    const text = config("  half: { order: { name: weighted, fraction: 0.5, unbiased: true, start: scored } }\n");
    const ended = await run("half", text, "--seeds", "2");
    expect(ended).toMatchObject({ code: 0, stderr: "" });
    const runs = [0, 1].map((seed) => join(ended.directory, "half", `seed-${seed}`));
    const [a, b] = runs.map((directory) => [0, 1].map((epoch) => readOrder(directory, epoch)));
    for (const { indices, weights } of [...a, ...b]) {
      expect(new Set(indices).size).toBe(700);
      expect(weights).toHaveLength(700);
    }
    const sets = [...a, ...b].map(({ indices }) => [...indices].sort().join());
    expect(new Set(sets).size).toBe(4);
    const [, second] = metrics(runs[0]);
    expect(second).toMatchObject({ samples: 700, order: { distinct: 700, mostDrawn: 1 } });
  });
});

describe("an order of one's own", () => {
  it("that returns an index twice fails its run, by name, epoch and what was seen; the other arm goes on; exit code 3", async () => {
    const order = `import { cut, defineOrder, z } from "importance-batching";
export default defineOrder({
  name: "twice", summary: "s", whenToChoose: "w", options: z.strictObject({}), coverage: () => "each-once",
  readsLedger: false, deviation: "d", changesEachEpoch: () => false, dependsOnSeed: () => false,
  order: ({ eligible, epoch, size }) => {
    const indices = eligible.slice();
    if (epoch === 1) indices[1] = indices[0];
    return { indices, offsets: cut(indices.length, size) };
  },
});\n`;
    scratch.write("twice/twice.mjs", order);
    const ended = await run("twice", config("  twice: { order: ./twice.mjs }\n  frozen: { order: frozen }\n", ""));
    expect(ended.code).toBe(3);
    expect(ended.stdout).toMatch(
      /twice, seed 0 failed: order twice in epoch 2 breaks a law of orders \(each sample comes as often as declared\): seen sample \d+ twice, expected each-once/,
    );
    expect(existsSync(join(ended.directory, "twice/seed-0/orders/0001.json"))).toBe(false);
    expect(metrics(join(ended.directory, "frozen/seed-0"))).toHaveLength(3);

    const checked = await ibatch(["order", "--check", "./twice.mjs"], {}, scratch.path("twice"));
    expect(checked.code).toBe(1);
    expect(checked.stdout).toMatch(/twice breaks laws of orders/);
    expect(checked.stdout).toMatch(/each sample comes as often as declared/);
  });
});

describe("replay", () => {
  it("trains another model and another seed on the recorded order, and on its samples in another sequence", async () => {
    const first = await run("source", config("  source: { order: shuffled }\n"));
    expect(first.code).toBe(0);
    const source = join(first.directory, "source", "seed-0");
    const arms = `  again: { order: { replay: "${source}" } }
  within: { order: { replay: "${source}", shuffleWithin: epoch } }
`;
    const other = config(arms)
      .replace("convDropout: 0", "convDropout: 0, padding: same")
      .replace("seeds: 1", "seeds: [5]");
    const second = await run("replayed", other);
    expect(second).toMatchObject({ code: 0, stderr: "" });
    for (const epoch of [0, 1, 2]) {
      const recorded = readOrder(source, epoch);
      expect(readOrder(join(second.directory, "again", "seed-5"), epoch)).toEqual(recorded);
      const within = readOrder(join(second.directory, "within", "seed-5"), epoch);
      expect(within.indices).not.toEqual(recorded.indices);
      expect(within.indices.slice().sort()).toEqual(recorded.indices.slice().sort());
      expect(within.offsets).toEqual(recorded.offsets);
    }
  });
});
