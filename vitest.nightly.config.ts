import { defineConfig } from "vitest/config";

/** What `npm run nightly` runs: tests of what `npm test` does not install. */
export default defineConfig({
  test: {
    include: ["test/nightly/**/*.nightly.ts"],
    testTimeout: 600_000,
    hookTimeout: 600_000,
    expect: { poll: { timeout: 120_000 } },
    fileParallelism: false,
    globalSetup: "test/warm-python/setup.ts",
  },
});
