// The backend is killed under a run: the same command starts another one and goes on.
import { reached } from "../moments.mjs";
import { backendOf, kill } from "../processes.mjs";
import { Random } from "../random.mjs";

/** A kill by the system, and a crash. */
const SIGNALS = ["SIGKILL", "SIGKILL", "SIGKILL", "SIGSEGV"];

/** Where a backend dies as it starts there is none, and where it dies as it opens a run that run fails: the same command again. */
const ALLOWED = [3, 4];

const IN_A_COMMAND = [
  ["training", "before a save", "planning", "training"],
  ["before a save", "saving", "training", "training"],
  ["training", "saving", "starting", "before a save"],
  ["planning", "training", "before a save", "training"],
];
const QUICK = [["before a save"]];

export function backendCases({ seed, quick }) {
  const plans = quick ? QUICK : Array.from({ length: 16 }, (_, at) => IN_A_COMMAND[at % IN_A_COMMAND.length]);
  return plans.map((places, at) => ({
    name: `backend-${at}`,
    what: `killed ${places.join(", ")}`,
    planned: places.map(row),
    run: (scene) => killOneAfterAnother(scene, places, new Random(seed, "backend", at)),
  }));
}

const row = (place) => `backend killed, ${place}`;

async function killOneAfterAnother(scene, places, random) {
  let command = scene.give();
  let killed;
  for (const place of places) {
    const moment = { ...momentOf(place, random), other: killed };
    const signal = random.pick(SIGNALS);
    if (!(await reached(command, scene, { at: "backend", other: killed }))) command = await again(scene, command);
    const isReached = await reached(command, scene, moment);
    const backend = backendOf(scene.mark, command.pid);
    if (isReached && backend !== undefined && kill(backend, signal)) scene.count(row(place));
    killed = backend;
  }
  if ((await scene.end(command, 0, ...ALLOWED)).code === 0) await scene.check();
  else await scene.finish({ allowed: ALLOWED });
}

/** The command has ended before it was disturbed as often as planned. */
async function again(scene, command) {
  await scene.end(command, 0, ...ALLOWED);
  const next = scene.give();
  await reached(next, scene, { at: "backend" });
  return next;
}

function momentOf(place, random) {
  if (place === "starting") return { at: "backend", delay: random.between(0, 3000) };
  if (place === "training") return { at: "training", delay: random.between(0, 700) };
  if (place === "planning") return { at: "planning", nth: random.below(2), delay: random.between(0, 30) };
  return { at: place, nth: random.below(4), delay: random.between(0, 10) };
}
