// Either side is stopped for a while: within the limit of silence nothing happens, beyond it the run gets another backend.
import { setTimeout } from "node:timers/promises";
import { met } from "../moments.mjs";
import { backendOf, isStopped, kill } from "../processes.mjs";
import { replacements } from "../told.mjs";

/** `backend.heartbeat.limitSeconds` is 30. */
const SHORT = 5;
const LONG = 40;

export function stopCases() {
  const plans = ["training", "saving", "planning", "training"].flatMap((place, at) => [
    { side: "backend", seconds: SHORT, place },
    { side: "controller", seconds: SHORT, place },
    ...(at < 3 ? [{ side: "backend", seconds: LONG, place }] : []),
    ...(at < 3 ? [{ side: "controller", seconds: LONG, place }] : []),
  ]);
  return plans.map((plan, at) => ({
    name: `stop-${at}`,
    what: `${plan.side} stopped for ${plan.seconds} s, ${plan.place}`,
    planned: [rowOfStop(plan)],
    run: stopAlone(plan),
  }));
}

export const rowOfStop = ({ side, seconds }) => `${side} stopped for ${seconds} s`;

const stopAlone = (plan) => async (scene, random) => {
  const command = scene.give();
  const wasStopped = await stop(scene, command, plan, random);
  await scene.end(command, 0);
  await scene.check();
  const expected = wasStopped && plan.side === "backend" && plan.seconds === LONG ? 1 : 0;
  const seen = replacements(scene.said);
  if (scene.faults.length === 0 && seen !== expected)
    scene.faults.push(`${seen} backends were given up, expected ${expected}`);
};

/** Returns whether it was stopped at that place, and stayed so for all that time or was ended meanwhile. */
export async function stop(scene, command, plan, random) {
  const { side, seconds, place } = plan;
  const nth = random.below(2);
  const momentOf = () => ({ at: place, nth, delay: random.between(0, place === "training" ? 300 : 10) });
  if (!(await met(command, scene, momentOf))) return false;
  const pid = side === "backend" ? backendOf(command.pid) : command.pid;
  scene.look();
  if (pid === undefined || !kill(pid, "SIGSTOP")) return false;
  await setTimeout(1000 * seconds);
  const stayed = isStopped(pid);
  const isThere = kill(pid, "SIGCONT");
  if (!stayed && isThere) return false;
  scene.count(rowOfStop(plan));
  return true;
}
