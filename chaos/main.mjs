// Disturbs the real command in every way that it must outlive, and holds what it recorded against an undisturbed run.
//   npm run chaos [-- --only backend,controller,damage,stop,disk] [--case NAME] [--seed N] [--lanes N] [--quick]
//                 [--write docs/results/chaos.md]
// Equal seeds disturb in equal ways at equal moments, as far as a machine is equally fast. A case that fails keeps its
// directory. The exit code is 0 where none has failed.
import { writeFileSync } from "node:fs";
import os from "node:os";
import { parseArgs } from "node:util";
import { failedOf, pageOf, tableOfKinds, tableOfWays } from "./page.mjs";
import { KINDS, runChaos } from "./run-chaos.mjs";

/** Returns the exit code. */
export async function main(python, args) {
  if (process.platform !== "linux")
    throw new Error(`this is ${process.platform}; chaos looks for processes in Linux' /proc`);
  const { write, ...options } = readOptions(args);
  const [started, load] = [performance.now(), os.loadavg()[0]];
  const results = await runChaos({ ...options, python }, console.log);
  console.log(`\n${tableOfKinds(results)}\n\n${tableOfWays(results)}\n`);
  if (write !== undefined) {
    const command = ["npm run chaos", ...(args.length > 0 ? ["--", ...args] : [])].join(" ");
    const seconds = (performance.now() - started) / 1000;
    writeFileSync(write, pageOf(results, { command, seconds, load, lanes: options.lanes }));
  }
  const failed = failedOf(results);
  console.log(failed === 0 ? "no case failed" : `${failed} cases failed`);
  return failed === 0 ? 0 : 1;
}

function readOptions(args) {
  const { values } = parseArgs({
    args,
    options: {
      only: { type: "string" },
      case: { type: "string" },
      seed: { type: "string", default: "0" },
      lanes: { type: "string", default: String(Math.max(1, os.availableParallelism())) },
      quick: { type: "boolean", default: false },
      write: { type: "string" },
    },
  });
  const only = values.only?.split(",");
  const unknown = only?.find((kind) => KINDS[kind] === undefined);
  if (unknown !== undefined)
    throw new RangeError(`unknown kind ${unknown}, expected of ${Object.keys(KINDS).join(", ")}`);
  const [seed, lanes] = [Number(values.seed), Number(values.lanes)];
  return { only, cases: values.case?.split(","), seed, lanes, quick: values.quick, write: values.write };
}
