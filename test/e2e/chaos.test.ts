/** Something of each kind of what `npm run chaos` does at length, and that it leaves nothing where it is stopped. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { processesIn } from "../../chaos/processes.mjs";
import { runChaos } from "../../chaos/run-chaos.mjs";
import { packageRoot } from "../../src/package-root.js";
import { temporaryDirectory } from "../experiment/scene.js";
import { coldPython } from "../warm-python/python.js";

const LIMIT_MILLISECONDS = 600_000; // of four commands or so, on a machine that has other work, too

const done = (injected: ReadonlyMap<string, number> = new Map()) =>
  [...injected].flatMap(([way, times]) => Array<string>(times).fill(way)).sort();

it.skipIf(process.platform !== "linux")(
  "whatever dies, the same command continues, to the bit",
  async () => {
    const said: string[] = [];
    const results = await runChaos({ python: coldPython, seed: 0, quick: true, lanes: 2 }, (line) => said.push(line));
    for (const { name, planned, injected, faults } of results) {
      expect(faults ?? [], said.join("\n")).toEqual([]);
      expect(done(injected), name).toEqual([...planned].sort());
    }
    const ways = results.flatMap(({ planned }) => planned);
    for (const kind of ["backend killed", "controller ended", "checkpoint damaged", "controller stopped", "file size"])
      expect(ways).toContainEqual(expect.stringContaining(kind));
  },
  LIMIT_MILLISECONDS,
);

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
