/** What `npm run chaos -- --quick` plans, and that it leaves nothing where it is stopped. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { processesIn } from "../../chaos/processes.mjs";
import { plannedCases } from "../../chaos/run-chaos.mjs";
import { packageRoot } from "../../src/package-root.js";
import { temporaryDirectory } from "../experiment/scene.js";
import { coldPython } from "../warm-python/python.js";

it.skipIf(process.platform !== "linux")("what is done for every submission has something of each kind", () => {
  const ways = plannedCases({ python: coldPython, seed: 0, quick: true, lanes: 2 }).flatMap(({ planned }) => planned);
  for (const kind of ["backend killed", "controller ended", "checkpoint damaged", "controller stopped", "file size"])
    expect(ways).toContainEqual(expect.stringContaining(kind));
});

it.skipIf(process.platform !== "linux")("stopped, it leaves neither processes nor files", async () => {
  const folder = temporaryDirectory();
  const [python, there] = [join(folder, "python"), join(folder, "there")];
  writeFileSync(python, `#!/bin/sh\ntouch ${there}\nexec sleep 600\n`, { mode: 0o755 });
  const run = `import("${packageRoot}/chaos/main.mjs").then(({ main }) => main("${python}", ["--quick", "--lanes", "1"]))`;
  const chaos = spawn(process.execPath, ["-e", run], { env: { ...process.env, TMPDIR: folder }, stdio: "ignore" });
  const ended = once(chaos, "exit");
  await expect.poll(() => existsSync(there)).toBe(true);
  chaos.kill("SIGINT");
  expect(await ended).toEqual([null, "SIGINT"]);
  expect(readdirSync(folder).sort()).toEqual(["python", "there"]);
  expect(processesIn(folder)).toEqual([]);
});
