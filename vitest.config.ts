import { defineConfig } from "vitest/config";

/** What starts Python, or another process of some weight: one file at a time, for PyTorch wants a core of its own. */
const PROCESSES = [
  "test/e2e/**",
  "test/scripts/**",
  "test/backend/{backend,*process*}.test.ts",
  "test/process/process-group.test.ts",
  "test/cli/export.test.ts",
  "test/declarations.test.ts",
  "test/warm-python/**",
  "test/training/session-images.test.ts",
  "test/export/csv.test.ts",
  "test/results/statistics.test.ts",
  "test/page/chromium.test.ts",
];

const limits = { testTimeout: 120_000, hookTimeout: 120_000, globalSetup: "test/warm-python/setup.ts" };

export default defineConfig({
  test: {
    projects: [
      { test: { ...limits, name: "fast", include: ["test/**/*.test.ts"], exclude: PROCESSES, maxWorkers: 2 } },
      {
        test: {
          ...limits,
          name: "processes",
          include: PROCESSES.map((path) => path.replace(/\*\*$/, "**/*.test.ts")),
          fileParallelism: false,
          maxConcurrency: 2,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
