import { defineConfig } from "vitest/config";

/** What starts Python, or another process of some weight: one file at a time, for PyTorch wants a core of its own. */
const PROCESSES = [
  "test/e2e/**",
  "test/scripts/**",
  "test/backend/{backend,*process*}.test.ts",
  "test/cli/export.test.ts",
  "test/declarations.test.ts",
  "test/experiment/session-images.test.ts",
  "test/report/export/csv.test.ts",
  "test/report/statistics.test.ts",
  "test/report/page/chromium.test.ts",
];

const limits = { testTimeout: 120_000, hookTimeout: 120_000 };

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
