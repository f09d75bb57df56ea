// Disturbs the real command in every way that it must outlive, and holds what it recorded against an undisturbed run.
//   npm run chaos [-- --only backend,controller,job,damage,stop,disk,pool,link,messages,fuzz,crowd] [--case NAME] [--seed N] [--lanes N] [--quick]
//                 [--write docs/results/chaos.md]
// `--quick`: a few cases that have something of each kind.
// Equal seeds disturb in equal ways at equal moments, as far as a machine is equally fast. A case that fails keeps its
// directory. The exit code is 0 where none has failed, 1 where one has, 2 where the command line is wrong.
import { writeFileSync } from "node:fs";
import os from "node:os";
import { parseArgs } from "node:util";
import { commitNow, failedOf, pageOf, tableOfKinds, tableOfWays } from "./page.mjs";
import { plannedCases, runChaos, UsageError } from "./run-chaos.mjs";

/** Returns the exit code. */
export async function main(python, args, say = console) {
  try {
    const { write, ...options } = readOptions(args);
    if (process.platform !== "linux")
      throw new UsageError(`this is ${process.platform}; chaos looks for processes in Linux' /proc`);
    return await disturb({ ...options, python }, { write, args, say });
  } catch (error) {
    const isUsage = error instanceof UsageError;
    say.error(`chaos: ${isUsage ? error.message : error.stack}`);
    return isUsage ? 2 : 1;
  }
}

async function disturb(options, { write, args, say }) {
  const [started, load, commit] = [performance.now(), os.loadavg()[0], commitNow()];
  const results = await runChaos(options, (line) => say.log(line));
  say.log(`\n${tableOfKinds(results)}\n\n${tableOfWays(results)}\n`);
  if (write !== undefined) {
    const command = ["npm run chaos", ...(args.length > 0 ? ["--", ...args] : [])].join(" ");
    const seconds = (performance.now() - started) / 1000;
    writeFileSync(write, pageOf(results, { command, commit, seconds, load, lanes: options.lanes }));
  }
  const failed = failedOf(results);
  say.log(failed === 0 ? "no case failed" : `${failed} cases failed`);
  return failed === 0 ? 0 : 1;
}

/** @throws UsageError */
function readOptions(args) {
  const values = parse(args);
  const options = {
    only: values.only?.split(","),
    cases: values.case?.split(","),
    seed: integer("seed", values.seed, 0),
    lanes: integer("lanes", values.lanes, 1),
    quick: values.quick,
  };
  plannedCases(options);
  return { ...options, write: values.write };
}

function parse(args) {
  try {
    return parseArgs({
      args,
      options: {
        only: { type: "string" },
        case: { type: "string" },
        seed: { type: "string", default: "0" },
        lanes: { type: "string", default: String(Math.max(1, os.availableParallelism())) },
        quick: { type: "boolean", default: false },
        write: { type: "string" },
      },
    }).values;
  } catch (error) {
    throw new UsageError(error.message);
  }
}

function integer(name, text, least) {
  if (/^\d+$/.test(text) && Number(text) >= least) return Number(text);
  throw new UsageError(`--${name} ${text}: expected an integer of at least ${least}`);
}
