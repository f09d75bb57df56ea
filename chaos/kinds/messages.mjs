// Messages between controller and backend are lost, doubled, reordered and replayed, by schedules of chance.
import { spawn } from "node:child_process";
import { mkdirSync } from "node:fs";
import { createInterface } from "node:readline";
import { environmentOf, ROOT } from "../command.mjs";
import { leftBehind } from "../leftovers.mjs";
import { WAYS } from "../wire/message-proxy.mjs";

const CASES = 20;
const SCHEDULES_EACH = 25;
/** One that takes longer hangs. */
const MOST_SECONDS = 1200;

export function messageCases({ seed }) {
  return Array.from({ length: CASES }, (_, at) => ({
    name: `messages-${at}`,
    what: `${SCHEDULES_EACH} schedules of messages ${WAYS.join(", ")}`,
    planned: WAYS.map(rowOfWay),
    run: (scene) => runSchedules(scene, { seed, first: at * SCHEDULES_EACH, count: SCHEDULES_EACH }),
  }));
}

export const rowOfWay = (way) => `message ${way}`;

/** @param {{ seed: number, first: number, count: number }} which */
export async function runSchedules(scene, which) {
  mkdirSync(scene.out, { mode: 0o700 }); // sockets lie there, too
  const { python, folder } = scene;
  const child = spawn(
    process.execPath,
    ["chaos/wire/schedules.mjs", JSON.stringify({ python, folder, within: scene.out, ...which })],
    { cwd: ROOT, env: environmentOf({ python, folder }), stdio: ["ignore", "pipe", "pipe"] },
  );
  const timer = setTimeout(() => child.kill("SIGKILL"), MOST_SECONDS * 1000);
  createInterface({ input: child.stderr }).on("line", (line) => scene.said.push(line));
  const ended = new Promise((resolve) => child.once("close", (code, signal) => resolve(signal ?? code)));
  let seen = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    seen += 1;
    take(scene, JSON.parse(line));
  }
  const how = await ended;
  clearTimeout(timer);
  if (how !== 0)
    scene.faults.push(`the schedules ended with ${how} after ${seen} of ${which.count}: ${scene.said.at(-1)}`);
  scene.faults.push(...(await leftBehind(scene)));
}

function take(scene, { schedule, done, commands, seconds, faults }) {
  scene.commands += commands;
  scene.seconds += seconds;
  for (const [way, times] of Object.entries(done)) scene.count(rowOfWay(way), times);
  scene.faults.push(...faults.map((fault) => `schedule ${schedule}: ${fault}`));
}
