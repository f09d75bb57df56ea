// The link to a backend on another machine is cut for a while: within the limit of silence nothing is lost, beyond it the run
// goes on from its checkpoint.
import { setTimeout } from "node:timers/promises";
import { met } from "../moments.mjs";
import { replacements } from "../told.mjs";
import { CUTS, LinkProxy } from "../wire/link-proxy.mjs";
import { startServed } from "../wire/served.mjs";

/** `backend.heartbeat.limitSeconds` is 30. */
const SHORT = 8;
const LONG = 40;
/** Where the link comes out: another address of this machine, at the ports of the backend. */
const HOST = "127.0.0.2";

export function linkCases() {
  const plans = ["training", "saving"].flatMap((place) =>
    [SHORT, LONG].flatMap((seconds) => CUTS.map((how) => ({ place, seconds, how }))),
  );
  return plans.map((plan, at) => ({
    name: `link-${at}`,
    what: `link ${plan.how} for ${plan.seconds} s, ${plan.place}`,
    planned: [rowOfCut(plan)],
    run: (scene, random) => cutLink(scene, plan, random),
  }));
}

const rowOfCut = ({ how, seconds }) => `link ${how} for ${seconds} s`;

async function cutLink(scene, plan, random) {
  const served = await startServed({ python: scene.python, folder: scene.folder, listen: "tcp://127.0.0.1:0" });
  const { ports } = served;
  const link = await LinkProxy.start({ host: HOST, ports });
  try {
    const command = scene.give({ backends: [`tcp://${HOST}:${ports[0]}`] });
    const wasCut = await cut(scene, command, link, plan, random);
    await scene.end(command, 0);
    const seen = replacements(scene.said);
    if (wasCut && scene.faults.length === 0 && plan.how === "silent" && seen !== (plan.seconds === LONG ? 1 : 0))
      scene.faults.push(`${seen} times a backend was given up, in a silence of ${plan.seconds} s`);
  } finally {
    await link.close();
    await served.stop();
  }
  await scene.check();
}

/** Returns whether it was cut at that place. */
async function cut(scene, command, link, { place, seconds, how }, random) {
  const nth = random.below(2);
  const longest = place === "training" ? 300 : 10;
  if (!(await met(command, scene, () => ({ at: place, nth, delay: random.between(0, longest) })))) return false;
  await link.cut(how);
  await setTimeout(1000 * seconds);
  const isOver = command.isOver; // then nothing was under way
  await link.mend();
  if (isOver) return false;
  scene.count(rowOfCut({ how, seconds }));
  return true;
}
