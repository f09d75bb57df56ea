// Something of each kind in a few commands: for every day.
import { finishedIn } from "../checkpoints.mjs";
import { DAMAGES } from "../damages.mjs";
import { underWay } from "../told.mjs";
import { Kills, rowOfKill } from "./backend.mjs";
import { endOne, rowOfEnd } from "./controller.mjs";
import { damageAndGoOn, rowOfDamage } from "./damage.mjs";
import { abilities, giveLimited, LIMITED, REFUSED, untilRefused } from "./disk.mjs";
import { fuzz, SIDES } from "./fuzz.mjs";
import { runSchedules } from "./messages.mjs";
import { rowOfStop, stop } from "./stop.mjs";

const KILL = "before a save";
const STOP = { side: "controller", seconds: 1, place: "training" };
const END = { place: "saving", signal: "SIGKILL", moment: { at: "saving", nth: 2 } };
const DAMAGE = DAMAGES.find(({ name }) => name === "run.safetensors a byte changed");

export function quickCases(can = abilities()) {
  const limited = can.limit ? [LIMITED] : [];
  return [
    {
      name: "quick-0",
      kind: "backend, stop, disk",
      planned: [rowOfStop(STOP), ...limited, rowOfKill(KILL)],
      run: (scene, random) => disturbOneCommand(scene, can, random),
    },
    { name: "quick-1", kind: "controller, damage", planned: [rowOfEnd(END), rowOfDamage(DAMAGE)], run: killAndDamage },
    { name: "quick-2", kind: "messages", planned: [], what: "messages disturbed", run: disturbMessages },
    ...["backend", "controller"].map((side, at) => ({
      name: `quick-${3 + at}`,
      kind: "fuzz",
      planned: [SIDES[side]],
      run: (scene) => fuzz(scene, { side, seed: 0, first: 0, count: 1000 }),
    })),
  ].map((one) => ({ what: one.planned.join(", "), ...one }));
}

const disturbMessages = (scene) => runSchedules(scene, { seed: 0, first: 3, count: 2 });

async function disturbOneCommand(scene, can, random) {
  const command = can.limit ? giveLimited(scene) : scene.give();
  if (can.limit) await untilRefused(scene, command, 1);
  if (!(await stop(scene, command, STOP, random))) {
    await scene.end(command, 0, ...REFUSED); // there was room too late
    return;
  }
  const kills = new Kills(scene, command, random);
  await kills.killAt(KILL, () => ({ at: KILL, delay: random.between(0, 10) }));
  if ((await kills.end()) === 0) await scene.check();
}

async function killAndDamage(scene, random) {
  if ((await endOne(scene, END, random)) !== "counted") return;
  const arm = underWay(scene.said);
  if (finishedIn(scene.out, arm).length === 0) return; // it was killed as it wrote its first one
  await damageAndGoOn(scene, [{ arm, damage: DAMAGE }], random);
}
