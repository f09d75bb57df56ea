/** A case of each kind of what `npm run chaos` does at length. */
import { expect, it } from "vitest";
import { runChaos } from "../../chaos/run-chaos.mjs";
import { coldPython } from "../warm-python/python.js";

const LIMIT_MILLISECONDS = 600_000; // of seven commands or so, on a machine that has other work, too

const done = (injected: ReadonlyMap<string, number> = new Map()) =>
  [...injected].flatMap(([way, times]) => Array<string>(times).fill(way)).sort();

it.skipIf(process.platform !== "linux")(
  "whatever dies, the same command continues, to the bit",
  async () => {
    const said: string[] = [];
    const results = await runChaos({ python: coldPython, seed: 0, quick: true, lanes: 2 }, (line) => said.push(line));
    for (const { name, planned, injected, faults, skipped } of results) {
      expect(faults ?? [], said.join("\n")).toEqual([]);
      if (skipped === undefined) expect(done(injected), name).toEqual([...planned].sort());
    }
    const kinds = results.map(({ name }) => name.split("-")[0]);
    expect(new Set(kinds)).toEqual(new Set(["undisturbed", "backend", "controller", "damage", "stop", "disk"]));
  },
  LIMIT_MILLISECONDS,
);
