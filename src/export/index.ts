/** Every target of `ibatch export`. To add one: a file beside this one, and a line here. */
import type { ExportTarget } from "./contract.js";

export const EXPORT_TARGETS: readonly ExportTarget[] = [
  {
    name: "csv",
    summary: "runs.csv and epochs.csv in a directory",
    load: async () => (await import("./csv.js")).exportCsv,
  },
  {
    name: "tensorboard",
    summary: "event files in <arm>/seed-<n> of a directory",
    load: async () => (await import("./tensorboard.js")).exportTensorboard,
  },
  {
    name: "markdown",
    summary: "the final table, on standard output or in a file",
    load: async () => (await import("./markdown.js")).exportMarkdown,
  },
  {
    name: "torch",
    summary: "the recorded orders in a directory, with a batch sampler for any PyTorch loop",
    load: async () => (await import("./torch.js")).exportTorch,
  },
  {
    name: "metrics",
    summary: "a directory of the small files alone, to be kept; markdown and report read it",
    load: async () => (await import("./metrics.js")).exportMetrics,
  },
];
