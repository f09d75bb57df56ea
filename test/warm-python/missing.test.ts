import { join } from "node:path";
import { expect, test } from "vitest";
import { temporaryDirectory } from "../experiment/scene.js";
import { hasNoPython } from "./missing.js";

test("a Python that is named and is not there does not have tests skipped", () => {
  const folder = temporaryDirectory();
  expect([folder, join(folder, "python")].map((named) => hasNoPython(named))).toEqual([false, false]);
});
