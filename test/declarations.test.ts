import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { ownEntry, packageRoot } from "../src/package-root.js";

test("the declarations that the package ships are checked without skipLibCheck, as a program's own may be", async () => {
  const options = ["--noEmit", "--strict", "--skipLibCheck", "false", "--module", "nodenext", "--target", "es2022"];
  const compiler = join(packageRoot, "node_modules", "typescript", "bin", "tsc");
  const run = promisify(execFile)(
    process.execPath,
    [compiler, ...options, "--ignoreConfig", "--types", "node", ownEntry.replace(/\.js$/, ".d.ts")],
    { cwd: packageRoot },
  );
  expect(await run.catch(({ stdout }) => ({ stdout }))).toMatchObject({ stdout: "" });
});
