/** Findings as the statistics make them; every number is made up. */
import type { Comparison, Findings } from "../../../src/report/findings.js";
import type { Description, Difference } from "../../../src/report/statistics.js";

const description = (mean: number, sd: number): Description => ({
  name: "",
  n: 2,
  missing: [],
  mean,
  sd,
  interval: null,
});

const difference = (mean: number, low: number, high: number): Difference => ({
  ...description(mean, 0.1),
  interval: { low, high },
  family: "planned",
  lack: null,
  bca: null,
  effect: -1.4,
  effectCorrected: -1.25,
  t: { statistic: -2, degreesOfFreedom: 1, p: 0.0202 },
  wilcoxon: { nonzero: 2, statistic: 0, p: 0.5, smallest: 0.5, exact: true },
  tHolm: 0.0404,
  wilcoxonHolm: 1,
  wilcoxonSmallestHolm: 1,
});

export const COMPARISON: Comparison = {
  arm: "sorted",
  with: "shuffled",
  name: "sorted − shuffled",
  planned: true,
  accuracy: difference(-0.125, -0.2, -0.05),
  loss: difference(0.25, 0.1, 0.4),
  cost: null,
  sentence: "is worse, surely.",
};

export const findings = (parts: Partial<Findings> = {}): Findings => ({
  baseline: "shuffled",
  confidence: 0.95,
  target: null,
  arms: [],
  comparisons: [COMPARISON],
  notes: ["A note."],
  alarms: [],
  ...parts,
});

/** An arm whose best epoch by validation is known, and nothing else. */
export const bestArm = (arm: string): Findings["arms"][number] => ({
  arm,
  accuracy: description(0.8, 0.1),
  loss: description(0.5, 0.1),
  validation: { epochs: description(2.5, 0.5), accuracy: description(0.7654, 0.0123) },
  cost: null,
  meanCost: null,
});
