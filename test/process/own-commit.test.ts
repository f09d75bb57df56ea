import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { packageRoot, packedCommit } from "../../src/package-root.js";
import { ownCommit } from "../../src/process/own-commit.js";
import { gitCommit } from "../../src/process/spawn.js";

test("of a clone it is git's, for nobody packed it", () => {
  expect(packedCommit()).toBeUndefined();
  expect(existsSync(join(packageRoot, ".git")) ? ownCommit() : undefined).toBe(gitCommit(packageRoot));
});
