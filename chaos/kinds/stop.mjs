// Either side is stopped for a while: within the limit of silence nothing happens, beyond it the run gets another backend.
import { setTimeout } from "node:timers/promises";
import { reached } from "../moments.mjs";
import { backendOf, kill } from "../processes.mjs";
import { Random } from "../random.mjs";

/** `backend.heartbeat.limitSeconds` is 30. */
const SHORT = 5;
const LONG = 40;

export function stopCases({ seed, quick }) {
  const plans = quick
    ? [{ side: "controller", seconds: 1, place: "training" }]
    : ["training", "saving", "planning", "training"].flatMap((place, at) => [
        { side: "backend", seconds: SHORT, place },
        { side: "controller", seconds: SHORT, place },
        ...(at < 3 ? [{ side: "backend", seconds: LONG, place }] : []),
        ...(at < 3 ? [{ side: "controller", seconds: LONG, place }] : []),
      ]);
  return plans.map((plan, at) => ({
    name: `stop-${at}`,
    what: `${plan.side} stopped for ${plan.seconds} s, ${plan.place}`,
    planned: [row(plan)],
    run: (scene) => stop(scene, plan, new Random(seed, "stop", at)),
  }));
}

const row = ({ side, seconds }) => `${side} stopped for ${seconds} s`;

async function stop(scene, plan, random) {
  const { side, seconds, place } = plan;
  const command = scene.give();
  const nth = random.below(2);
  const isReached = await reached(command, scene, { at: place, nth, delay: random.between(0, 300) });
  const pid = side === "backend" ? backendOf(scene.mark, command.pid) : command.pid;
  if (isReached && pid !== undefined && kill(pid, "SIGSTOP")) {
    await setTimeout(1000 * seconds);
    kill(pid, "SIGCONT");
    scene.count(row(plan));
  }
  await scene.end(command, 0);
  await scene.check();
  const restarts = scene.times(/; restart \d+ of \d+$/);
  const expected = side === "backend" && seconds === LONG ? 1 : 0;
  if (scene.faults.length === 0 && restarts !== expected)
    scene.faults.push(`${restarts} backends were given up, expected ${expected}`);
}
