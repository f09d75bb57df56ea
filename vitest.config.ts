import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { defineConfig } from "vitest/config";

/** What starts Python, or another process of some weight: one file at a time, for PyTorch wants a core of its own. */
const PROCESSES = [
  "test/e2e/**",
  "test/cuda/**",
  "test/scripts/**",
  "test/backend/{backend,*process*}.test.ts",
  "test/process/process-group.test.ts",
  "test/cli/export.test.ts",
  "test/declarations.test.ts",
  "test/warm-python/**",
  "test/training/session-images.test.ts",
  "test/export/csv.test.ts",
  "test/results/statistics.test.ts",
  "test/quality/false-alarms.test.ts",
  "test/orders/expected-gradient.test.ts",
  "test/page/chromium.test.ts",
];

/** What replaces modules: for the whole life of a worker, so that no other file may share it. */
const MOCKING = readdirSync(join(import.meta.dirname, "test"), { recursive: true, encoding: "utf8" })
  .map((path) => join("test", path))
  .filter(
    (path) =>
      path.endsWith(".test.ts") && /\bvi\.(?:do)?[mM]ock\(/.test(readFileSync(join(import.meta.dirname, path), "utf8")),
  );

const WARM = "test/warm-python/everywhere.ts";

const limits = {
  testTimeout: 120_000,
  hookTimeout: 120_000,
  /** Vitest's second is over before a busy machine looks again. */
  expect: { poll: { timeout: 60_000 } },
  globalSetup: "test/warm-python/setup.ts",
  maxWorkers: 2,
};

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          ...limits,
          name: "fast",
          include: ["test/**/*.test.ts"],
          exclude: [...PROCESSES, ...MOCKING],
          setupFiles: WARM,
          isolate: false,
          unstubEnvs: true,
          unstubGlobals: true,
        },
      },
      { test: { ...limits, name: "mocking", include: MOCKING, exclude: PROCESSES, setupFiles: WARM } },
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
