import { readdirSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import {
  BATCHING_RULES,
  batchingOptions,
  batchSizes,
  type ChosenBatching,
  changesBy,
  findBatching,
  learningRateFactors,
} from "../../src/batching/index.js";
import { IbatchError } from "../../src/errors.js";

/** What the folder holds beside rules. */
const OTHERS = ["contract", "index", "last-batch", "position"];

/** The sizes of the batches of each epoch, up to the one with the last sample: nominal, so the last is not cut. */
function allSizes(batching: ChosenBatching, epochs: number, samples: number): number[][] {
  return Array.from({ length: epochs }, (_, epoch) => {
    const size = batchSizes(batching, { epoch, epochs, samples });
    const sizes: number[] = [];
    for (let filled = 0; filled < samples; filled += sizes[sizes.length - 1]) sizes.push(size(sizes.length));
    return sizes;
  });
}

/** The size of each epoch's first batch. */
const firstSizes = (batching: ChosenBatching, epochs: number): number[] =>
  allSizes(batching, epochs, 1).map(([first]) => first);

describe("what sizes change by is what they look at", () => {
  const way = { from: 2, to: 40 };
  test.each([
    ["constant", { size: 3 }, "nothing", []],
    ["steps", { sizes: [2, 8], at: [1] }, "epoch", ["epoch"]],
    ["linear", { ...way, per: "epoch" }, "epochs", ["epoch", "epochs"]],
    ["geometric", { ...way, per: "epoch" }, "epochs", ["epoch", "epochs"]],
    ["linear", { ...way, per: "batch" }, "progress", ["share"]],
    ["geometric", { ...way, per: "batch" }, "progress", ["share"]],
  ])("%s of %j: %s", (name, options, expected, looked) => {
    expect(changesBy({ name, options })).toBe(expected);
    const rule = findBatching(name);
    const parsed = rule.options.parse(options);
    const place = { batch: 2, epoch: 1, epochs: 4, share: 0.3 };
    const others = { batch: 3, epoch: 0, epochs: 9, share: 0.6 };
    const keys = ["batch", "epoch", "epochs", "share"] as const;
    const differing = keys.filter(
      (key) => rule.size({ ...place, [key]: others[key] }, parsed) !== rule.size(place, parsed),
    );
    expect(differing).toEqual(looked);
  });
});

test("with a budget, sizes by the epoch end short of `to`, where `epochs` reach it; the option says so", () => {
  const way = { from: 5, to: 30, per: "epoch" };
  const last = { batch: 0, epoch: 4, epochs: 5, share: 0.8 };
  for (const name of ["linear", "geometric"]) {
    const { size, options } = findBatching(name);
    expect(size(last, options.parse(way))).toBe(30);
    const ofBudget = { ...last, spentBefore: 0.8 };
    expect(size(ofBudget, options.parse(way))).toBeCloseTo(name === "linear" ? 25 : 5 * 6 ** 0.8, 9);
    const { description } = batchingOptions(findBatching(name)).shape.per;
    expect(description).toContain(
      "so `to` is not reached: of two epochs the last stands half of the way, of five at 4/5",
    );
    expect(description).toContain("take batch there");
  }
});

describe("the table of batching rules", () => {
  test("has one line for each file of the folder, under the file's name", () => {
    const files = readdirSync(new URL("../../src/batching", import.meta.url))
      .map((file) => file.replace(/\.ts$/, ""))
      .filter((name) => !OTHERS.includes(name));
    expect(BATCHING_RULES.map((rule) => rule.name).sort()).toEqual(files.sort());
  });

  test.each(BATCHING_RULES.map((rule) => [rule.name, rule] as const))("%s describes each option", (_name, rule) => {
    const options = batchingOptions(rule);
    expect(Object.keys(options.shape)).toEqual([
      ...Object.keys(rule.options.shape),
      "learningRate",
      "baseSize",
      "ratesOf",
      "lastBatch",
    ]);
    for (const option of Object.values(options.shape)) expect(option.description ?? "").not.toBe("");
    const known = { size: 1, from: 1, to: 1, sizes: [1], at: [] };
    expect(options.safeParse({ ...known, noSuchOption: 1 }).success).toBe(false);
  });

  test("finds by name, and names what is near", () => {
    expect(findBatching("constant").name).toBe("constant");
    expect(() => findBatching("constnat")).toThrow(
      new IbatchError(
        "usage",
        `There is no batching rule "constnat". Did you mean "constant"? Known: ${BATCHING_RULES.map(({ name }) => name).join(", ")}.`,
      ),
    );
  });
});

describe("sizes, reckoned by hand", () => {
  test("constant: the same for every batch", () => {
    expect(allSizes({ name: "constant", options: { size: 3 } }, 2, 11)).toEqual([
      [3, 3, 3, 3],
      [3, 3, 3, 3],
    ]);
  });

  test("linear per epoch: equal steps, `to` in the last epoch; half a sample rounds up", () => {
    expect(firstSizes({ name: "linear", options: { from: 10, to: 50 } }, 5)).toEqual([10, 20, 30, 40, 50]);
    expect(firstSizes({ name: "linear", options: { from: 50, to: 10 } }, 5)).toEqual([50, 40, 30, 20, 10]);
    expect(firstSizes({ name: "linear", options: { from: 1, to: 2 } }, 3)).toEqual([1, 2, 2]);
  });

  test("geometric per epoch: equal factors, `to` in the last epoch", () => {
    expect(firstSizes({ name: "geometric", options: { from: 8, to: 128 } }, 5)).toEqual([8, 16, 32, 64, 128]);
    expect(firstSizes({ name: "geometric", options: { from: 128, to: 8 } }, 5)).toEqual([128, 64, 32, 16, 8]);
    expect(firstSizes({ name: "geometric", options: { from: 10, to: 100 } }, 3)).toEqual([10, 32, 100]);
  });

  test("per epoch all batches of an epoch are alike, and a run of one epoch has `from`", () => {
    expect(allSizes({ name: "linear", options: { from: 2, to: 4 } }, 2, 7)).toEqual([
      [2, 2, 2, 2],
      [4, 4],
    ]);
    expect(firstSizes({ name: "linear", options: { from: 2, to: 4 } }, 1)).toEqual([2]);
    expect(firstSizes({ name: "geometric", options: { from: 2, to: 4 } }, 1)).toEqual([2]);
  });

  test("linear per batch, one epoch of 10 from 1 to 11: a batch is 1 larger for each sample before it", () => {
    // 0 before it: 1; 1 before it: 2; 3 before it: 4; 7 before it: 8.
    const options = { from: 1, to: 11, per: "batch" };
    expect(allSizes({ name: "linear", options }, 1, 10)).toEqual([[1, 2, 4, 8]]);
  });

  test("linear per batch, two epochs of 10, growing and shrinking", () => {
    // Size 1 + before / 2 in the first epoch, so 1, 1.5, 2.5, 4, 5; 6 + before / 2 in the second.
    const growing = { from: 1, to: 11, per: "batch" };
    expect(allSizes({ name: "linear", options: growing }, 2, 10)).toEqual([
      [1, 2, 3, 4],
      [6, 9],
    ]);
    // 11 and then 6 are before / 2 less.
    const shrinking = { from: 11, to: 1, per: "batch" };
    expect(allSizes({ name: "linear", options: shrinking }, 2, 10)).toEqual([[11], [6, 3, 2]]);
  });

  test("linear per batch counts the samples of an epoch: drawing half, it is near the end in the last batches of the run", () => {
    const sizes = allSizes({ name: "linear", options: { from: 1, to: 101, per: "batch" } }, 2, 500);
    expect(sizes.map((ofEpoch) => ofEpoch[0])).toEqual([1, 51]);
    expect(sizes[1].at(-1)).toBeGreaterThan(85);
  });

  test("geometric per batch, two epochs of 8 from 1 to 16: times 4 in each epoch, 2^(before / 4)", () => {
    // 0: 1; 1: 1.19; 2: 1.41; 3: 1.68; 5: 2.38; 7: 3.36; then four times that.
    const options = { from: 1, to: 16, per: "batch" };
    expect(allSizes({ name: "geometric", options }, 2, 8)).toEqual([
      [1, 1, 1, 2, 2, 3],
      [4, 8],
    ]);
    // 16 and more than all; then 4 and 4 · 2^(-4/4).
    const shrinking = { from: 16, to: 1, per: "batch" };
    expect(allSizes({ name: "geometric", options: shrinking }, 2, 8)).toEqual([[16], [4, 2, 1, 1]]);
  });

  test("steps: another size from each epoch of `at` on, growing, shrinking or both", () => {
    expect(firstSizes({ name: "steps", options: { sizes: [32, 160, 800], at: [2, 3] } }, 5)).toEqual([
      32, 32, 160, 800, 800,
    ]);
    expect(firstSizes({ name: "steps", options: { sizes: [9, 3, 5], at: [1, 2] } }, 3)).toEqual([9, 3, 5]);
    expect(firstSizes({ name: "steps", options: { sizes: [7], at: [] } }, 2)).toEqual([7, 7]);
  });
});

describe("laws of every rule", () => {
  const size = fc.integer({ min: 1, max: 60 });
  const way = fc.record({ from: size, to: size, per: fc.constantFrom("epoch", "batch") });
  const rules: fc.Arbitrary<ChosenBatching> = fc.oneof(
    fc.record({ name: fc.constant("constant"), options: fc.record({ size }) }),
    fc.record({ name: fc.constantFrom("linear", "geometric"), options: way }),
    fc.record({ name: fc.constant("steps"), options: fc.constantFrom({ sizes: [3, 9], at: [2] }) }),
  );
  const runs = fc.record({ epochs: fc.integer({ min: 1, max: 8 }), samples: fc.integer({ min: 1, max: 200 }) });

  test("the same sizes whatever the sequence of asking, past the epoch's end too", () => {
    fc.assert(
      fc.property(rules, runs, fc.array(fc.nat({ max: 40 }), { minLength: 1 }), (rule, run, asked) => {
        const epoch = run.epochs - 1;
        const forward = batchSizes(rule, { ...run, epoch });
        const expected = Array.from({ length: 41 }, (_, batch) => forward(batch));
        const jumping = batchSizes(rule, { ...run, epoch });
        for (const batch of asked) expect(jumping(batch)).toBe(expected[batch]);
      }),
      { seed: 1 },
    );
  });

  test("integers between the two sizes, rising or falling all along", () => {
    const ways = fc.record({ name: fc.constantFrom("linear", "geometric"), options: way });
    fc.assert(
      fc.property(ways, runs, (rule, run) => {
        const { from, to } = rule.options;
        const sizes = allSizes(rule, run.epochs, run.samples).flat();
        expect(sizes[0]).toBe(from);
        for (const [i, size] of sizes.entries()) {
          expect(Number.isInteger(size)).toBe(true);
          const before = i === 0 ? from : sizes[i - 1];
          expect((size - before) * Math.sign(to - from)).toBeGreaterThanOrEqual(0);
          expect((to - size) * Math.sign(to - from)).toBeGreaterThanOrEqual(0);
        }
      }),
      { seed: 2 },
    );
  });
});

describe("factors of the learning rate", () => {
  const factors = (options: Record<string, unknown>, epoch: number, batchCount: number) => {
    const batching = { name: "linear", options: { from: 8, to: 32, ...options } };
    const run = { epochs: 2, samples: 32 };
    return [...learningRateFactors(batching, batchSizes(batching, { ...run, epoch }), { ...run, epoch }, batchCount)];
  };

  test("none: 1", () => {
    expect(factors({}, 1, 3)).toEqual([1, 1, 1]);
    expect(factors({ baseSize: 4 }, 1, 1)).toEqual([1]);
  });

  test("linear: the ratio to the run's first batch, or to `baseSize`", () => {
    expect(factors({ learningRate: "linear" }, 0, 2)).toEqual([1, 1]);
    expect(factors({ learningRate: "linear" }, 1, 2)).toEqual([4, 4]);
    expect(factors({ learningRate: "linear", baseSize: 64 }, 0, 1)).toEqual([0.125]);
  });

  test("sqrt: its root", () => {
    expect(factors({ learningRate: "sqrt" }, 1, 2)).toEqual([2, 2]);
    expect(factors({ learningRate: "sqrt", baseSize: 2 }, 0, 1)).toEqual([2]);
  });

  test("within an epoch, one for each batch: 8, 11, 15 of 32 samples, by the nominal size of the last", () => {
    // 8 + 24 · before / 64: 8, 11, 15.125.
    expect(factors({ learningRate: "linear", per: "batch" }, 0, 3)).toEqual([1, 11 / 8, 15 / 8]);
  });
});

describe("the rates of another rule, at sizes of its own", () => {
  const growing = { name: "linear", from: 8, to: 32, per: "batch" };
  const factors = (options: Record<string, unknown>, epoch: number, batchCount: number) => {
    const batching = { name: "constant", options: { size: 8, learningRate: "linear", ratesOf: growing, ...options } };
    const run = { epochs: 2, samples: 32, epoch };
    return [...learningRateFactors(batching, batchSizes(batching, run), run, batchCount)];
  };

  test("are those of the batch that would be under way: 8, 11 and 15 samples from 0, 8 and 19 on", () => {
    expect(factors({}, 0, 4)).toEqual([1, 11 / 8, 11 / 8, 15 / 8]);
    expect(factors({ size: 16 }, 0, 2)).toEqual([1, 11 / 8]);
    expect(factors({ size: 4 }, 0, 5)).toEqual([1, 1, 11 / 8, 11 / 8, 11 / 8]);
  });

  test("by the epoch, by the root, and by another base", () => {
    const perEpoch = { name: "linear", from: 8, to: 32 };
    expect([0, 1].flatMap((epoch) => factors({ ratesOf: perEpoch }, epoch, 2))).toEqual([1, 1, 4, 4]);
    expect(factors({ ratesOf: perEpoch, learningRate: "sqrt" }, 1, 1)).toEqual([2]);
    expect(factors({ ratesOf: perEpoch, baseSize: 64 }, 1, 1)).toEqual([0.5]);
  });

  test("of a rule of the same sizes they are its own", () => {
    expect(factors({ ratesOf: { name: "constant", size: 8 } }, 1, 4)).toEqual([1, 1, 1, 1]);
  });
});

describe("what is refused", () => {
  test.each([
    ["constant", {}],
    ["constant", { size: 0 }],
    ["constant", { size: -1 }],
    ["constant", { size: 2.5 }],
    ["constant", { size: "32" }],
    ["constant", { size: null }],
    ["constant", { size: 32, learningRate: "square" }],
    ["constant", { size: 32, baseSize: 0 }],
    ["linear", { from: 1 }],
    ["linear", { from: 0, to: 3 }],
    ["linear", { from: 1, to: 3, per: "run" }],
    ["geometric", { from: 1, to: 2.5 }],
    ["steps", { sizes: [], at: [] }],
    ["steps", { sizes: [1, 2, 3], at: [2, 2] }],
    ["steps", { sizes: [1, 2], at: [0] }],
    ["steps", { sizes: [1, 2], at: [1.5] }],
  ])("%s with %j", (name, options) => {
    expect(() => batchSizes({ name, options }, { epoch: 0, epochs: 1, samples: 1 })).toThrow(z.ZodError);
  });

  test("sizes that do not fit to their epochs, in a sentence", () => {
    const steps = batchingOptions(findBatching("steps"));
    expect(z.prettifyError(steps.safeParse({ sizes: [1, 2, 3], at: [4] }).error ?? new z.ZodError([]))).toBe(
      "✖ expected one size more than there are epochs in `at`\n  → at sizes",
    );
  });
});
