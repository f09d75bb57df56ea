import { readdirSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { IbatchError } from "../../src/errors.js";
import {
  type EpochBatches,
  findSchedule,
  learningRates,
  type NamedSchedule,
  SCHEDULES,
  scheduleOptions,
} from "../../src/schedules/index.js";
import oneCycle from "../../src/schedules/one-cycle.js";

/** An epoch of so many batches, all of one size. */
const evenly = (epoch: number, epochs: number, batchCount: number): EpochBatches => ({
  ...{ epoch, epochs },
  offsets: Uint32Array.from({ length: batchCount + 1 }, (_, batch) => 8 * batch),
});

/** The rates of all batches of all epochs. */
function allRates(schedule: NamedSchedule, epochs: number, batchCount: number): number[] {
  return Array.from({ length: epochs }, (_, epoch) => [
    ...learningRates(schedule, evenly(epoch, epochs, batchCount)),
  ]).flat();
}

/** Equal but for the last digits of a float64. */
function expectClose(rates: readonly number[], expected: readonly number[], tolerance = 1e-14): void {
  expect(rates.length).toBe(expected.length);
  for (const [i, rate] of rates.entries()) {
    if (Math.abs(rate - expected[i]) > tolerance) throw new Error(`step ${i}: ${rate}, expected ${expected[i]}`);
  }
}

describe("the table of schedules", () => {
  test("has one line for each file of the folder, under the file's name", () => {
    const files = readdirSync(new URL("../../src/schedules", import.meta.url))
      .map((file) => file.replace(/\.ts$/, ""))
      .filter((name) => name !== "contract" && name !== "index");
    expect(SCHEDULES.map((schedule) => schedule.name).sort()).toEqual(files.sort());
  });

  test.each(SCHEDULES.map((schedule) => [schedule.name, schedule] as const))(
    "%s describes each option",
    (_name, schedule) => {
      const options = scheduleOptions(schedule);
      expect(Object.keys(options.shape)).toEqual([
        "learningRate",
        "warmupEpochs",
        "warmupFrom",
        ...Object.keys(schedule.options.shape),
      ]);
      for (const option of Object.values(options.shape)) expect(option.description ?? "").not.toBe("");
      expect(options.safeParse({ learningRate: 1, milestones: [1], noSuchOption: 1 }).success).toBe(false);
    },
  );

  test("finds by name, and names what is near", () => {
    expect(findSchedule("one-cycle").name).toBe("one-cycle");
    expect(() => findSchedule("cosin")).toThrow(
      new IbatchError(
        "usage",
        `There is no schedule "cosin". Did you mean "cosine"? Known: ${SCHEDULES.map(({ name }) => name).join(", ")}.`,
      ),
    );
  });
});

describe("against their closed forms", () => {
  test("constant", () => {
    expect(allRates({ name: "constant", learningRate: 0.02 }, 2, 3)).toEqual(Array(6).fill(0.02));
  });

  test("step: rate · gamma^(milestones passed), from the first batch of the epoch on", () => {
    const rates = allRates({ name: "step", learningRate: 1, milestones: [1, 2.5], gamma: 0.5 }, 4, 2);
    expect(rates).toEqual([1, 1, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25]);
  });

  test("step: a whole milestone falls on its epoch's first batch, for any number of epochs and batches", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 1000 }),
        fc.integer({ min: 1, max: 50 }),
        fc.nat(),
        (epochs, batches, at) => {
          const milestone = 1 + (at % (epochs - 1));
          const schedule = { name: "step", learningRate: 1, milestones: [milestone] };
          expect([...learningRates(schedule, evenly(milestone - 1, epochs, batches))]).toEqual(Array(batches).fill(1));
          expect([...learningRates(schedule, evenly(milestone, epochs, batches))]).toEqual(Array(batches).fill(0.1));
        },
      ),
      { seed: 1, numRuns: 500 },
    );
  });

  test("cosine: whole at the start, half-way between in the middle, the final share at the end", () => {
    const rates = allRates({ name: "cosine", learningRate: 2, finalFactor: 0.5 }, 2, 2);
    expectClose(rates, [2, 1.5 + Math.SQRT1_2 / 2, 1.5, 1.5 - Math.SQRT1_2 / 2]);
  });

  test("one-cycle: start, peak and end", () => {
    const options = oneCycle.options.parse({});
    const factorAt = (progress: number) => oneCycle.factor({ progress, epochs: 10 }, options);
    expectClose([0, 0.15, 0.3, 0.65, 1].map(factorAt), [0.04, 0.52, 1, (1 + 4e-6) / 2, 4e-6]);
  });

  test("warm-up is a line from its share to the whole, times the schedule's factor", () => {
    const warm = { learningRate: 1, warmupEpochs: 1, warmupFrom: 0.2 };
    expectClose(allRates({ name: "constant", ...warm }, 2, 4), [0.2, 0.4, 0.6, 0.8, 1, 1, 1, 1]);
    const cold = allRates({ name: "cosine", learningRate: 1 }, 2, 4);
    const warmed = allRates({ name: "cosine", ...warm }, 2, 4);
    expectClose(
      warmed,
      cold.map((rate, b) => rate * Math.min(1, 0.2 + 0.2 * b)),
    );
  });
});

describe("against torch (vectors.json)", () => {
  const batchwise = z.object({
    schedule: z.looseObject({ name: z.string() }),
    epochs: z.int(),
    batchCount: z.int(),
    rates: z.array(z.number()),
  });
  const cycle = z.object({
    options: z.record(z.string(), z.number()),
    peak: z.number(),
    rates: z.array(z.number()),
  });
  const vectors = z
    .object({ batchwise: z.array(batchwise), oneCycle: z.array(cycle) })
    .parse(JSON.parse(readFileSync(new URL("vectors.json", import.meta.url), "utf8")));

  test.each(vectors.batchwise)("$schedule: step t is batch t of all", ({ schedule, epochs, batchCount, rates }) => {
    expectClose(allRates(schedule, epochs, batchCount), rates);
  });

  // torch reaches its peak at step peakAt·T − 1 and its end at step T − 1, of T steps.
  test.each(vectors.oneCycle)(
    "one-cycle $options: at the place that torch's step stands for",
    ({ options, peak, rates }) => {
      const parsed = oneCycle.options.parse(options);
      const { peakAt } = parsed;
      const peakStep = peakAt * rates.length - 1;
      const lastStep = rates.length - 1;
      const placeOf = (t: number) =>
        t <= peakStep ? peakAt * (t / peakStep) : peakAt + (1 - peakAt) * ((t - peakStep) / (lastStep - peakStep));
      const own = rates.map((_, t) => peak * oneCycle.factor({ progress: placeOf(t), epochs: 1 }, parsed));
      expectClose(own, rates);
    },
  );

  test.each(vectors.oneCycle)(
    "one-cycle $options: batch t is between torch's steps t - 1 and t",
    ({ options, peak, rates }) => {
      const own = allRates({ name: "one-cycle", learningRate: peak, ...options }, 1, rates.length);
      for (const [t, rate] of own.entries()) {
        const around = [rates[Math.max(0, t - 1)], rates[t], peak];
        const atPeak = Math.abs(t - oneCycle.options.parse(options).peakAt * rates.length) <= 1;
        expect(rate).toBeGreaterThanOrEqual(Math.min(around[0], around[1]) - 1e-14);
        expect(rate).toBeLessThanOrEqual((atPeak ? peak : Math.max(around[0], around[1])) + 1e-14);
      }
    },
  );
});

describe("laws of every schedule", () => {
  const schedules = fc.oneof(
    fc.constant({ name: "constant" }),
    fc.record({ name: fc.constant("step"), milestones: fc.constantFrom([1], [2, 3], [0.5, 40]) }),
    fc.record({ name: fc.constant("cosine"), finalFactor: fc.double({ min: 0, max: 1, noNaN: true }) }),
    fc.record({ name: fc.constant("one-cycle"), peakAt: fc.double({ min: 0.01, max: 0.99, noNaN: true }) }),
  );

  test("rates are above 0 and at most `learningRate`, one a batch", () => {
    fc.assert(
      fc.property(
        schedules,
        fc.integer({ min: 1, max: 30 }),
        fc.integer({ min: 1, max: 30 }),
        fc.double({ min: 0, max: 3, noNaN: true }),
        (schedule, epochs, batchCount, warmupEpochs) => {
          const rates = allRates({ ...schedule, learningRate: 0.3, warmupEpochs }, epochs, batchCount);
          expect(rates.length).toBe(epochs * batchCount);
          expect(rates.every((rate) => rate > 0 && rate <= 0.3 * (1 + 1e-15))).toBe(true);
        },
      ),
      { seed: 2 },
    );
  });

  test("equal inputs give equal bits, whatever other epoch was asked for before", () => {
    const schedule = { name: "one-cycle", learningRate: 0.1 };
    const first = learningRates(schedule, evenly(3, 10, 7));
    learningRates(schedule, evenly(9, 10, 5));
    expect(learningRates(schedule, evenly(3, 10, 7))).toEqual(first);
  });

  test("a batch stands where the samples before it end, whatever their number of batches", () => {
    const schedule = { name: "cosine", learningRate: 1, warmupEpochs: 0 };
    const rates = learningRates(schedule, { epoch: 1, epochs: 4, offsets: Uint32Array.of(0, 10, 30, 40) });
    expectClose(
      [...rates],
      [4 / 16, 5 / 16, 7 / 16].map((progress) => (1 + Math.cos(Math.PI * progress)) / 2),
    );
  });
});

describe("what is refused", () => {
  test("a rate beyond float32, in which weights are: torch takes none", () => {
    const rate = (learningRate: number) =>
      scheduleOptions(findSchedule("constant")).safeParse({ learningRate }).error?.issues[0]?.message;
    expect(rate(1e39)).toContain("is larger than 3.4e38");
    expect(rate(Math.fround(3.4028234663852886e38))).toBeUndefined();
  });

  test.each([
    { name: "constant" },
    { name: "constant", learningRate: 0 },
    { name: "constant", learningRate: Number.POSITIVE_INFINITY },
    { name: "constant", learningRate: Number.NaN },
    { name: "constant", learningRate: 1, warmupEpochs: -1 },
    { name: "constant", learningRate: 1, warmupFrom: 2 },
    { name: "constant", learningRate: 1, gamma: 2 },
    { name: "step", learningRate: 1 },
    { name: "step", learningRate: 1, milestones: [] },
    { name: "step", learningRate: 1, milestones: [3, 2] },
    { name: "cosine", learningRate: 1, finalFactor: -0.1 },
    { name: "one-cycle", learningRate: 1, peakAt: 1 },
  ])("%j", (schedule) => {
    expect(() => learningRates(schedule, evenly(0, 1, 1))).toThrow(z.ZodError);
  });
});
