// What a crowd of peers costs a run: runs with and without one, in turn, on one backend; all must record the same. A line of JSON.
//   node chaos/fuzz/crowd-cost.mjs '{"python": …, "folder": …, "within": …, "peers": 300, "pairs": 4}'
import { spawn } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { runExperiment } from "../../dist/index.js";
import { differencesFrom, recordedIn } from "../recorded.mjs";
import { startServed } from "../wire/served.mjs";
import { smallExperiment } from "../wire/small-experiment.mjs";

/** Of the time, and of the backend's processor seconds. */
const MOST_COST = 1.1;
/** Linux' clock ticks. */
const TICKS_A_SECOND = 100;
const EPOCHS = 12;

const { python, folder, within, peers, pairs } = JSON.parse(process.argv[2]);
const served = await startServed({ python, folder, listen: "tcp://127.0.0.1:0" });
try {
  process.stdout.write(`${JSON.stringify(await measure())}\n`);
} finally {
  await served.stop();
}

async function measure() {
  const began = performance.now();
  const faults = [];
  await run("undisturbed"); // warm, too
  const expected = recordedIn(join(within, "undisturbed"));
  const without = { wall: 0, cpu: 0 };
  const beside = { wall: 0, cpu: 0 };
  for (let pair = 0; pair < pairs; pair++) {
    for (const total of pair % 2 === 0 ? [without, beside] : [beside, without]) {
      const crowd = total === beside ? await gather() : undefined;
      const { wall, cpu } = await run("out");
      await crowd?.end();
      total.wall += wall;
      total.cpu += cpu;
      faults.push(...differencesFrom(expected, join(within, "out")));
      rmSync(join(within, "out"), { recursive: true });
    }
  }
  const cost = { wall: beside.wall / without.wall, cpu: beside.cpu / without.cpu };
  for (const [what, ratio] of Object.entries(cost))
    if (ratio > MOST_COST)
      faults.push(`${peers} peers cost ${ratio.toFixed(3)} of the ${what} time, expected ${MOST_COST} at most`);
  return { peers, runs: 1 + 2 * pairs, without, beside, cost, seconds: (performance.now() - began) / 1000, faults };
}

async function run(name) {
  const [began, ticks] = [performance.now(), ticksOf(served.pid)];
  const out = join(within, name);
  const { summary } = await runExperiment(
    { ...smallExperiment("crowd"), epochs: EPOCHS },
    { backend: served.endpoint, out },
  );
  const failed = summary.arms.filter(({ failed = 0 }) => failed > 0);
  if (failed.length > 0) throw new Error(`failed: ${failed.map(({ arm }) => arm).join(", ")}`);
  return { wall: (performance.now() - began) / 1000, cpu: (ticksOf(served.pid) - ticks) / TICKS_A_SECOND };
}

/** Of all its threads. */
function ticksOf(pid) {
  const text = readFileSync(`/proc/${pid}/stat`, "latin1");
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return Number(fields[11]) + Number(fields[12]);
}

/** In a process of its own, so that it costs the controller nothing. */
async function gather() {
  const script = fileURLToPath(new URL("crowd.mjs", import.meta.url));
  const child = spawn(process.execPath, [script, String(peers), ...served.ports.map(String)], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  await createInterface({ input: child.stdout })[Symbol.asyncIterator]().next();
  return {
    end() {
      child.stdin.end();
      return ended;
    },
  };
}
