import { describe, expect, test } from "vitest";
import { equalOrderNotes, mixtureNotes, orderNotes } from "../../src/results/order-notes.js";
import { run } from "./made-runs.js";

type Made = ReturnType<typeof run>;

/** Of two epochs, with these monitors in the last one. */
function watched(arm: string, seed: number, order: Partial<Made["metrics"][number]["order"]>): Made {
  const made = run(arm, seed, { test: [0.5, 0.6], samples: 1000 });
  const metrics = made.metrics.map((line, at) =>
    at === 1 ? { ...line, order: { distinct: 1000, mostDrawn: 1, ...order } } : line,
  );
  return { ...made, metrics };
}

test("an order that collapsed, or does nothing, is told once an arm, with how many of its runs", () => {
  const runs = [
    watched("sound", 0, {}),
    watched("greedy", 0, { distinct: 32 }),
    watched("greedy", 1, { distinct: 32 }),
    watched("drawn", 0, { effectiveDataSize: 20 }),
    watched("drawn", 1, {}),
    watched("weighty", 0, { effectiveSampleSize: 1000, meanWeight: 1 }),
  ];
  expect(orderNotes(runs)).toEqual([
    "The order of greedy has collapsed: only 32 different samples among the 1,000 of an epoch",
    "The order of drawn has collapsed: drawn as if from 20.0 samples (1/Σp²), for 1,000 an epoch (in 1 of 2 runs)",
    "The order of weighty gives weights, and all of them are 1: they do nothing",
  ]);
});

/** With an order of this name in its config, that drew this in its epochs. */
function drew(arm: string, seed: number, name: string, hashes: readonly string[]) {
  const made = run(arm, seed, { test: hashes.map(() => 0.5) });
  const metrics = made.metrics.map((line, epoch) => ({ ...line, orderSha256: hashes[epoch] }));
  return { ...made, metrics, document: { config: { order: { name } } } };
}

test("orders that are others by their config and drew the same are told; what is one order by config is meant to be one", () => {
  const noteOf = (...runs: ReturnType<typeof drew>[]) => equalOrderNotes(runs);
  const shuffled = [drew("shuffled", 0, "shuffled", ["a", "b"]), drew("shuffled", 1, "shuffled", ["c", "d"])];
  const idle = [drew("idle", 0, "weighted", ["a", "b"]), drew("idle", 1, "weighted", ["c", "d"])];
  expect(noteOf(...shuffled, ...idle)).toEqual([
    "shuffled and idle drew the same samples in the same sequence in every epoch: their orders do the same",
  ]);
  expect(noteOf(...shuffled, idle[0], drew("idle", 1, "weighted", ["c", "e"]))).toEqual([]);
  const weighty = idle.map((made) => ({
    ...made,
    metrics: made.metrics.map((line) => ({ ...line, order: { ...line.order, meanWeight: 0.9 } })),
  }));
  expect(noteOf(...shuffled, ...weighty), "with other weights").toEqual([]);
  const replay = idle.map((made) => ({ ...made, document: { config: { order: { name: "replay", replay: {} } } } }));
  expect(noteOf(...shuffled, ...replay), "which is to do the same").toEqual([]);
  expect(noteOf(...shuffled, drew("other rate", 0, "shuffled", ["a", "b"]))).toEqual([]);
  expect(noteOf(drew("one", 0, "shuffled", ["a"]), drew("two", 0, "weighted", ["a"]))).toEqual([
    "one and two drew the same samples in the same sequence in the one epoch that there is: before it most orders have no losses to order by",
  ]);
  const three = [
    ["one", "shuffled"],
    ["two", "weighted"],
    ["three", "shuffled"],
  ].map(([arm, name]) => drew(arm, 0, name, ["a", "b"]));
  expect(noteOf(...three), "in one line").toEqual([
    "one, two and three drew the same samples in the same sequence in every epoch: their orders do the same",
  ]);
  expect(noteOf(drew("one", 0, "shuffled", []), drew("two", 0, "weighted", []))).toEqual([]);
});

test("batches that are purer or more even in classes than by chance are told, once there are enough to tell", () => {
  const byChance = { classesPerBatchByChance: 9.9, classDistanceByChance: 0.15 };
  const of = (arm: string, classesPerBatch: number, classDistance: number, batches = 100) => {
    const made = watched(arm, 0, { ...byChance, classesPerBatch, classDistance });
    return { ...made, metrics: made.metrics.map((line) => ({ ...line, batches })) };
  };
  const runs = [of("pure", 1, 0.9), of("even", 10, 0.01), of("shuffled", 9.9, 0.16), of("few", 9, 0.19, 10)];
  expect(mixtureNotes([...runs, watched("of before", 0, {})])).toEqual([
    "Batches of pure are purer in classes than chance makes them: 1.0 classes in each, by chance 9.9; 0.900 from the whole's " +
      "shares, by chance 0.150",
    "Batches of even are more even in classes than chance makes them: 10.0 classes in each, by chance 9.9; 0.010 from the " +
      "whole's shares, by chance 0.150",
  ]);
});

describe("the epoch that shows what an order does", () => {
  const pure = { classesPerBatch: 1, classDistance: 0.9, classesPerBatchByChance: 9.9, classDistanceByChance: 0.15 };
  const mixed = { ...pure, classesPerBatch: 9.9, classDistance: 0.15 };
  const sound = { distinct: 1000, mostDrawn: 1 };
  const greedy = { distinct: 32, mostDrawn: 30 };

  /** Epochs that end on one, maybe shorter, that shows nothing. */
  function ending(config: { epochs?: number; order: { name: string; shuffledLastEpoch?: true } }, shortest = 1000) {
    const made = run("pure", 0, { test: [0.5, 0.6, 0.7], samples: 1000 });
    const metrics = made.metrics.map((line, at) => ({
      ...line,
      batches: 100,
      samples: at === 2 ? shortest : 1000,
      order: at === 2 ? { ...sound, ...mixed } : { ...greedy, ...pure },
    }));
    return { ...made, metrics, document: { config } };
  }
  const notesOf = (made: ReturnType<typeof ending>) => [...orderNotes([made]), ...mixtureNotes([made])];
  const told = [expect.stringContaining("has collapsed"), expect.stringContaining("purer in classes")];
  const order = { name: "mine" };
  const shuffledLast = { ...order, shuffledLastEpoch: true } as const;

  test("is the last one", () => {
    expect(notesOf(ending({ epochs: 3, order }))).toEqual([]);
    expect(notesOf(ending({ epochs: 3, order }, 300)), "an order may draw fewer").toEqual([]);
  });

  test("is never the shuffled one that a run ends on", () => {
    expect(notesOf(ending({ epochs: 3, order: shuffledLast }))).toEqual(told);
    expect(notesOf(ending({ order: shuffledLast }))).toEqual(told);
    const interrupted = ending({ epochs: 4, order: shuffledLast });
    expect(notesOf({ ...interrupted, state: "interrupted" }), "before it").toEqual([]);
  });

  test("is not what is left of one where a budget ends", () => {
    expect(notesOf(ending({ order }, 300))).toEqual(told);
    expect(notesOf(ending({ order }))).toEqual([]);
    const { metrics, ...made } = ending({ order }, 300);
    expect(notesOf({ ...made, metrics: metrics.slice(2) }), "unless there is no other").toEqual([]);
    const [first, second] = metrics;
    const short = { ...second, samples: 700 };
    expect(notesOf({ ...made, metrics: [first, short] }), "or the first one alone").toEqual(told);
  });
});
