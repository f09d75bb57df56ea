/** Findings as the statistics make them; every number is made up. */
import type { Comparison, Findings } from "../../src/record/findings-document.js";
import type { Description, Difference } from "../../src/record/statistics-document.js";

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
  ranked: 2,
  family: "planned",
  lack: null,
  isCut: false,
  bca: null,
  effect: -1.4,
  effectCorrected: -1.25,
  t: { statistic: -2, degreesOfFreedom: 1, p: 0.0202 },
  wilcoxon: { nonzero: 2, statistic: 0, direction: -1, p: 0.015, smallest: 0.015, exact: true },
  wilcoxonHolm: 0.03,
  wilcoxonSmallestHolm: 0.03,
  claim: { test: "t", p: 0.0202, holm: 0.0404 },
  divergence: null,
  equivalence: null,
});

export const COMPARISON: Comparison = {
  arm: "sorted",
  with: "shuffled",
  name: "sorted − shuffled",
  planned: true,
  accuracy: difference(-0.125, -0.2, -0.05),
  loss: difference(0.25, 0.1, 0.4),
  means: { accuracy: { arm: 0.7, with: 0.825 }, loss: { arm: 0.5, with: 0.25 } },
  cost: null,
  sentence: "is worse, surely.",
};

export const findings = (parts: Partial<Findings> = {}): Findings => ({
  baseline: "shuffled",
  confidence: 0.95,
  primary: "accuracy",
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
  saving: null,
});
