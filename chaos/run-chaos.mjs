// Runs cases side by side, each against the undisturbed run, and says how each ended.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { backendCases } from "./kinds/backend.mjs";
import { controllerCases } from "./kinds/controller.mjs";
import { damageCases } from "./kinds/damage.mjs";
import { diskCases } from "./kinds/disk.mjs";
import { crowdCases, fuzzCases } from "./kinds/fuzz.mjs";
import { jobCases } from "./kinds/job.mjs";
import { linkCases } from "./kinds/link.mjs";
import { messageCases } from "./kinds/messages.mjs";
import { poolCases } from "./kinds/pool.mjs";
import { quickCases } from "./kinds/quick.mjs";
import { stopCases } from "./kinds/stop.mjs";
import { inLanes } from "./lanes.mjs";
import { endAll } from "./leftovers.mjs";
import { failedOf } from "./page.mjs";
import { World } from "./world.mjs";

const KINDS = {
  backend: backendCases,
  controller: controllerCases,
  job: jobCases,
  damage: damageCases,
  stop: stopCases,
  disk: diskCases,
  pool: poolCases,
  link: linkCases,
  messages: messageCases,
  fuzz: fuzzCases,
  crowd: crowdCases,
};

/** What was asked for cannot be done. */
export class UsageError extends Error {}

/**
 * @param {{ python: string, seed: number, quick: boolean, only?: string[], cases?: string[], lanes: number }} options
 * @param {(line: string) => void} say
 */
export async function runChaos(options, say) {
  const planned = plannedCases(options);
  const folder = mkdtempSync(join(tmpdir(), "ibc-")); // short: a socket's path has about 100 bytes
  const release = whenStopped(() => {
    endAll(folder);
    rmSync(folder, { recursive: true, force: true });
  });
  const world = new World(folder, options);
  let isKept = true;
  try {
    if (!options.quick) await world.undisturbed(); // nothing else slows it
    const tasks = [async () => (await world.undisturbed()).result, ...planned.map((one) => () => runAndSay(one))];
    const results = await inLanes(options.lanes, tasks);
    isKept = failedOf(results) > 0;
    return results;
  } finally {
    release();
    endAll(folder);
    if (isKept) say(`what was made is in ${folder}`);
    else rmSync(folder, { recursive: true });
  }

  async function runAndSay(one) {
    const result = one.skipped === undefined ? await world.runCase(one) : one;
    say(lineOf(result, options));
    return result;
  }
}

/** @throws UsageError where that would be none, or something is asked for that there is not. */
export function plannedCases({ only, cases, ...options }) {
  const unknown = only?.find((kind) => KINDS[kind] === undefined);
  if (unknown !== undefined)
    throw new UsageError(`unknown kind ${unknown}, expected some of ${Object.keys(KINDS).join(", ")}`);
  if (options.quick && only !== undefined) throw new UsageError("--quick has something of each kind: leave out --only");
  const all = options.quick
    ? quickCases()
    : (only ?? Object.keys(KINDS)).flatMap((kind) => KINDS[kind](options).map((one) => ({ ...one, kind })));
  const missing = cases?.find((name) => !all.some((one) => one.name === name));
  if (missing !== undefined) {
    const names = [...new Set(all.map(({ name }) => name.replace(/\d+$/, "0, …")))];
    throw new UsageError(`there is no case ${missing} here, expected some of ${names.join(", ")}`);
  }
  return cases === undefined ? all : all.filter(({ name }) => cases.includes(name));
}

/** Does it once where a signal stops us, which then ends us. Returns what takes that back. */
function whenStopped(act) {
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"];
  const stop = (signal) => {
    release();
    act();
    process.kill(process.pid, signal);
  };
  const release = () => {
    for (const signal of signals) process.off(signal, stop);
  };
  for (const signal of signals) process.on(signal, stop);
  return release;
}

function lineOf({ name, what, faults = [], notes = [], skipped, commands, seconds, folder }, { seed, quick }) {
  if (skipped !== undefined) return `skipped  ${name}: ${what}: ${skipped}`;
  const how = [`${name}: ${what} (${commands} commands, ${seconds.toFixed(0)} s)`, ...notes].join("; ");
  if (faults.length === 0) return `ok       ${how}`;
  const again = `npm run chaos -- --seed ${seed} --case ${name}${quick ? " --quick" : ""}`;
  return [
    `FAILED   ${how}`,
    ...faults.map((fault) => `         ${fault}`),
    `         kept: ${folder}`,
    `         again: ${again}`,
  ].join("\n");
}
