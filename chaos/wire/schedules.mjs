// Runs under messages that are lost, doubled, reordered or replayed, one schedule of chance after another: each must record
// what an undisturbed run does. A line of JSON for each.
//   node chaos/wire/schedules.mjs '{"python": …, "folder": …, "within": …, "seed": 0, "first": 0, "count": 25}'
import { rmSync } from "node:fs";
import { join } from "node:path";
import { runExperiment } from "../../dist/index.js";
import { Random } from "../random.mjs";
import { differencesFrom, recordedIn } from "../recorded.mjs";
import { MessageProxy, WAYS } from "./message-proxy.mjs";
import { startServed } from "./served.mjs";
import { smallExperiment } from "./small-experiment.mjs";

/** Of all messages, about: a run of some hundred meets several. */
const SHARE = 0.02;
/** More commands mean that it does not go on. */
const MOST_COMMANDS = 12;
const UNDISTURBED = smallExperiment("schedules");
/** What is lost is soon missed. */
const CONFIG = smallExperiment("schedules", { heartbeat: { everySeconds: 0.1, limitSeconds: 0.5 } });

const { python, folder, within, seed, first, count } = JSON.parse(process.argv[2]);
const back = `ipc://${join(within, "b")}`;
const served = await startServed({ python, folder, listen: back });
try {
  const expected = await undisturbed();
  for (let schedule = first; schedule < first + count; schedule++) {
    process.stdout.write(`${JSON.stringify({ schedule, ...(await disturbed(schedule, expected)) })}\n`);
  }
} finally {
  await served.stop();
}

async function undisturbed() {
  const out = join(within, "undisturbed");
  const why = await failureOf(UNDISTURBED, { backend: back, out });
  if (why !== undefined) throw new Error(`the undisturbed run fails: ${why}`);
  return recordedIn(out);
}

/** What was done, in how many commands, and what is wrong with what was recorded. */
async function disturbed(schedule, expected) {
  const random = new Random(seed, "messages", schedule);
  const draw = (_direction, type) =>
    type !== "hello" && type !== "hello_ok" && random.next() < SHARE ? random.pick(WAYS) : undefined;
  const [front, out] = [`ipc://${join(within, `p${schedule}`)}`, join(within, `out-${schedule}`)];
  const proxy = await MessageProxy.start({ front, back, random, draw });
  const began = performance.now();
  try {
    const { commands, why } = await untilDone({ backend: front, out });
    const faults = why === undefined ? differencesFrom(expected, out) : [why];
    if (faults.length === 0) rmSync(out, { recursive: true });
    const seconds = (performance.now() - began) / 1000;
    return { done: Object.fromEntries(proxy.done), commands, seconds, faults };
  } finally {
    proxy.close();
    for (const path of [`p${schedule}`, `p${schedule}.work`]) rmSync(join(within, path), { force: true });
  }
}

/** Gives the same command until no run has failed: one whose backend is lost before it has begun may. */
async function untilDone(how) {
  let why;
  for (let commands = 1; commands <= MOST_COMMANDS; commands++) {
    why = await failureOf(CONFIG, how);
    if (why === undefined) return { commands };
  }
  return { commands: MOST_COMMANDS, why };
}

async function failureOf(config, how) {
  try {
    const { summary } = await runExperiment(config, how);
    const failed = summary.arms.flatMap(({ arm, failed = 0 }) => (failed > 0 ? [arm] : []));
    return failed.length > 0 ? `failed: ${failed.join(", ")}` : undefined;
  } catch (error) {
    return error.message;
  }
}
