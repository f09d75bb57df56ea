import { expect, test, vi } from "vitest";

test("without the built module the error says where it was looked for and what to run", async () => {
  vi.resetModules();
  vi.doMock("node:fs", () => ({
    readFileSync: () => {
      throw new Error("ENOENT");
    },
  }));
  const { fastKernels } = await import("../../src/kernels/module.js");
  expect(() => fastKernels()).toThrow(
    /^the kernels are not built, expected them in \/.*dist\/kernels\/kernels\.wasm: run `npm run setup`$/,
  );
  vi.doUnmock("node:fs");
});
