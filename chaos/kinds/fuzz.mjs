// Messages of chance, to a backend and to a controller, with runs beside them; and crowds of peers that do nothing of use.
import { spawn } from "node:child_process";
import { mkdirSync } from "node:fs";
import { createInterface } from "node:readline";
import { environmentOf, ROOT } from "../command.mjs";
import { leftBehind } from "../leftovers.mjs";

const CASES = 10;
const MESSAGES_EACH = 10_000;
/** One that takes longer hangs. */
const MOST_SECONDS = 1200;

export const SIDES = {
  backend: "messages of chance to a backend, beside a run",
  session: "messages of chance to a backend's open session, and a run after them",
  controller: "messages of chance to a controller, beside a run",
};

export function fuzzCases({ seed }) {
  return Object.entries(SIDES).flatMap(([side, row]) =>
    Array.from({ length: CASES }, (_, at) => ({
      name: `fuzz-${side}-${at}`,
      what: `${MESSAGES_EACH} ${row}`,
      planned: [row],
      run: (scene) => fuzz(scene, { side, seed, first: at * MESSAGES_EACH, count: MESSAGES_EACH }),
    })),
  );
}

const CROWD = "300 silent and slow peers beside a run";

export const crowdCases = () => [
  {
    name: "crowd-0",
    what: CROWD,
    planned: [CROWD],
    run: async (scene) => {
      const result = await ask(scene, "crowd-cost", { peers: 300, pairs: 6 });
      if (result === undefined) return;
      scene.count(CROWD, result.runs);
      const { wall, cpu } = result.cost;
      scene.notes.push(`${wall.toFixed(3)} of the time, ${cpu.toFixed(3)} of the backend's processor seconds`);
      await takeBack(scene, result);
    },
  },
];

/** @param {{ side: keyof typeof SIDES, seed: number, first: number, count: number }} which */
export async function fuzz(scene, which) {
  const result = await ask(scene, "beside", which);
  if (result === undefined) return;
  scene.count(SIDES[which.side], result.messages);
  await takeBack(scene, { ...result, faults: result.faults.map((fault) => `seed ${which.seed}: ${fault}`) });
}

/** What a script of chaos/fuzz says, in its line of JSON; undefined where it failed. */
async function ask(scene, script, args) {
  mkdirSync(scene.out, { mode: 0o700 }); // sockets lie there, too
  const { python, folder } = scene;
  const child = spawn(
    process.execPath,
    [`chaos/fuzz/${script}.mjs`, JSON.stringify({ python, folder, within: scene.out, ...args })],
    { cwd: ROOT, env: environmentOf({ python, folder }), stdio: ["ignore", "pipe", "pipe"] },
  );
  const timer = setTimeout(() => child.kill("SIGKILL"), MOST_SECONDS * 1000);
  createInterface({ input: child.stderr }).on("line", (line) => scene.said.push(line));
  const ended = new Promise((resolve) => child.once("close", (code, signal) => resolve(signal ?? code)));
  let said = "";
  for await (const line of createInterface({ input: child.stdout })) said = line;
  const how = await ended;
  clearTimeout(timer);
  if (how === 0) return JSON.parse(said);
  scene.faults.push(`${script} ended with ${how}: ${scene.said.at(-1)}`);
  return undefined;
}

async function takeBack(scene, { runs, seconds, faults }) {
  scene.commands += runs;
  scene.seconds += seconds;
  scene.faults.push(...faults, ...(await leftBehind(scene)));
}
