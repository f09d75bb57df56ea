import { defineConfig } from "vitest/config";

const limits = {
  testTimeout: 600_000,
  hookTimeout: 600_000,
  expect: { poll: { timeout: 120_000 } },
  fileParallelism: false,
  globalSetup: "test/warm-python/setup.ts",
};
const FULL = { IBATCH_TEST_SIZE: "full" };

/** What `npm run nightly` runs: tests of what `npm test` does not install, and all of what it takes a share of. */
export default defineConfig({
  test: {
    projects: [
      { test: { ...limits, name: "ray", include: ["test/nightly/ray.nightly.ts"] } },
      { test: { ...limits, name: "pack", include: ["test/nightly/pack.nightly.ts"] } },
      {
        test: {
          ...limits,
          name: "full",
          include: [
            "test/experiment/{each-batch,killed,pools}.test.ts",
            "test/orders/conformance.test.ts",
            "test/results/null-experiments.test.ts",
          ],
          setupFiles: "test/warm-python/everywhere.ts",
          env: FULL,
        },
      },
      {
        test: {
          ...limits,
          name: "full-processes",
          include: ["test/e2e/{equal-bits,validate}.test.ts"],
          env: FULL,
        },
      },
    ],
  },
});
