// Runs beside messages of chance: each must record what an undisturbed one does, and memory must stay as it is. A line of JSON
// says what came of it.
//   node chaos/fuzz/beside.mjs '{"python": …, "folder": …, "within": …, "side": "backend", "seed": 0, "first": 0, "count": 1000}'
import { rmSync } from "node:fs";
import { join } from "node:path";
import { runExperiment } from "../../dist/index.js";
import { differencesFrom, recordedIn } from "../recorded.mjs";
import { startServed } from "../wire/served.mjs";
import { smallExperiment } from "../wire/small-experiment.mjs";
import { fuzzBackend } from "./backend-side.mjs";
import { fuzzController } from "./controller-side.mjs";
import { Memory } from "./memory.mjs";
import { fuzzSessions } from "./sessions.mjs";

const FUZZ = { backend: fuzzBackend, controller: fuzzController, session: fuzzSessions };
/** MiB, from a tenth of the messages on, with what the runs beside take. */
const MOST_GROWTH = { backend: 64, controller: 256, session: 64 };

const { python, folder, within, side, seed, first, count } = JSON.parse(process.argv[2]);
const served = await startServed({ python, folder, listen: `ipc://${join(within, "b")}` });
try {
  process.stdout.write(`${JSON.stringify(await fuzz())}\n`);
} finally {
  await served.stop();
}

async function fuzz() {
  const began = performance.now();
  const faults = [];
  await run("undisturbed");
  const expected = recordedIn(join(within, "undisturbed"));
  const memory = new Memory(side === "controller" ? process.pid : served.pid, count);
  const places = { control: served.endpoint, work: `${served.endpoint}.work`, endpoint: `ipc://${join(within, "h")}` };
  let isOver = false;
  const sending = FUZZ[side]({ ...places, seed, first, count, onSent: (done) => memory.look(done) })
    .then((found) => faults.push(...found))
    .finally(() => {
      isOver = true;
    });
  let runs = 0;
  do {
    if (side === "session") await sending; // there is one at a time: the run comes after
    runs += 1;
    await run(`out-${runs}`);
    faults.push(...differencesFrom(expected, join(within, `out-${runs}`)));
    if (faults.length === 0) rmSync(join(within, `out-${runs}`), { recursive: true });
  } while (!isOver && faults.length === 0);
  await sending;
  if (memory.grewMiB > MOST_GROWTH[side])
    faults.push(`memory grew by ${memory.grewMiB} MiB, expected at most ${MOST_GROWTH[side]}`);
  if (faults.length > 0) process.stderr.write(`${served.said}\n`);
  return { messages: count, runs, grew: memory.grewMiB, seconds: (performance.now() - began) / 1000, faults };
}

async function run(name) {
  const { summary } = await runExperiment(smallExperiment("fuzz"), {
    backend: served.endpoint,
    out: join(within, name),
  });
  const failed = summary.arms.filter(({ failed = 0 }) => failed > 0);
  if (failed.length > 0) throw new Error(`failed: ${failed.map(({ arm }) => arm).join(", ")}`);
}
