// Backends that train side by side are killed one after another, and their controller, too.
import { setTimeout } from "node:timers/promises";
import { line } from "../moments.mjs";
import { backendsOf, kill } from "../processes.mjs";
import { begins } from "../told.mjs";

const CASES = 20;
/** In each case: of backends at any time, and of the controller. */
const DEATHS = ["backend", "backend", "controller", "backend", "backend"];
/** A run that loses its backend before it has begun fails, and so may all. */
const FAILED = [3, 4];
/** More mean that it does not go on. */
const MOST_COMMANDS = 12;
const MOST_DELAY = 1500;

export function poolCases() {
  return Array.from({ length: CASES }, (_, at) => {
    const jobs = 2 + (at % 2);
    const rowOf = (whose) => `${whose} of ${jobs} jobs killed`;
    return {
      name: `pool-${at}`,
      what: `${jobs} jobs: ${DEATHS.join(", ")} killed`,
      planned: DEATHS.map(rowOf),
      run: (scene, random) => killAmong(scene, { jobs, rowOf }, random),
    };
  });
}

async function killAmong(scene, { jobs, rowOf }, random) {
  const give = () => scene.give({ settings: [`backend.jobs=${jobs}`] });
  let command = give();
  for (const whose of DEATHS) {
    while (!(await killOne(scene, command, whose, random))) {
      const { code } = await scene.end(command, 0, ...FAILED);
      if (code === 0 || scene.faults.length > 0 || scene.commands >= MOST_COMMANDS) return await scene.check();
      command = give();
    }
    scene.count(rowOf(whose));
    if (whose !== "controller") continue;
    await scene.end(command, "SIGKILL");
    command = give();
  }
  for (;;) {
    const { code } = await scene.end(command, 0, ...FAILED);
    if (code === 0 || scene.faults.length > 0 || scene.commands >= MOST_COMMANDS) return await scene.check();
    command = give();
  }
}

/** Once a run has begun by this command, and a while later. Returns whether it was there. */
async function killOne(scene, command, whose, random) {
  if (!command.lines.some(begins) && !(await line(command, begins))) return false;
  await setTimeout(random.between(0, MOST_DELAY));
  if (command.isOver) return false;
  if (whose === "controller") return scene.signal(command, "SIGKILL");
  const backends = backendsOf(command.pid);
  scene.look();
  return backends.length > 0 && kill(random.pick(backends), "SIGKILL");
}
