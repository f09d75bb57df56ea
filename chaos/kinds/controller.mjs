// The controller is killed or asked to end: the same command goes on.
import { setTimeout } from "node:timers/promises";
import { Interruption } from "../interruption.mjs";
import { met } from "../moments.mjs";
import { backendOf, kill } from "../processes.mjs";

const TWICE = "SIGINT twice";

/** How a command ends after each. */
const ENDS = {
  SIGKILL: ["SIGKILL"],
  SIGINT: [130, "SIGINT"],
  SIGTERM: [143, "SIGTERM"],
  SIGHUP: [129, "SIGHUP"],
  SIGUSR1: [75, "SIGUSR1"],
  [TWICE]: [130, "SIGKILL"], // killed where the second one could not be seen to act
};
/** Those that leave time for a last checkpoint. */
const IN_ORDER = ["SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1"];
const OFTEN = ["SIGKILL", "SIGINT", "SIGTERM"];
const LATER = [...OFTEN, "SIGKILL", "SIGHUP", "SIGUSR1", "SIGTERM", "SIGHUP", "SIGINT"];
const IN_A_RUN = [...OFTEN, "SIGKILL", TWICE, "SIGUSR1", "SIGTERM", "SIGHUP", "SIGINT"];
/** Before Node has started, a SIGUSR1 kills it; a run that is under way can be held up until the second SIGINT. */
const SIGNALS = { "setting up": OFTEN, training: IN_A_RUN, saving: IN_A_RUN };

/** Commands of one case are disturbed at these, one after another. */
const IN_A_CASE = [
  ["setting up", "training"],
  ["training", "saving"],
  ["planning", "between runs"],
  ["saving", "training", "reporting"],
  ["training", "planning"],
  ["between runs", "saving"],
  ["saving", "reporting"],
  ["setting up", "training", "between runs"],
  ["planning", "training"],
  ["training", "reporting"],
];

export function controllerCases({ seed }) {
  let number = seed;
  return Array.from({ length: 30 }, (_, at) => {
    const ends = IN_A_CASE[at % IN_A_CASE.length].map((place) => {
      const signals = SIGNALS[place] ?? LATER;
      return { place, signal: signals[number++ % signals.length] };
    });
    return {
      name: `controller-${at}`,
      what: ends.map(({ place, signal }) => `${signal} ${place}`).join(", "),
      planned: ends.map(rowOfEnd),
      run: (scene, random) => disturb(scene, ends, random),
    };
  });
}

export const rowOfEnd = ({ place, signal }) => `controller ended, ${place}: ${signal}`;

/** Commands that are ended at another moment than was meant, before that is given up. */
const MOST_MISSED = 3;

export async function disturb(scene, ends, random) {
  for (const end of ends) {
    let how = await endOne(scene, end, random);
    for (let missed = 1; how === "missed" && missed < MOST_MISSED; missed++) how = await endOne(scene, end, random);
    if (how === "over" || how === "failed") break;
  }
  if (scene.faults.length === 0) await scene.finish();
}

/**
 * Gives the command and ends it so. Returns whether that `failed`, was `counted`, `missed` its moment, or the command was `over` before.
 * @param {{ place: string, signal: string, moment?: object, row?: string, send?: (scene: object, command: object) => boolean }} end
 *   `send`: sends the signal, and returns whether all that it is meant for were there.
 */
export async function endOne(scene, end, random) {
  const { signal, moment, row = rowOfEnd(end), send = sendAlone(signal) } = end;
  const command = scene.give();
  const isMet = await met(command, scene, () => moment ?? momentOf(end, random));
  const interruption = isMet && IN_ORDER.includes(signal) ? new Interruption(command) : undefined;
  let isSeen = isMet;
  if (isMet && signal === TWICE) isSeen = await interruptTwice(scene, command, random);
  else if (isMet) isSeen = send(scene, command);
  const { code } = await scene.end(command, 0, ...(isMet ? ENDS[signal] : []));
  if (code !== 0 && interruption !== undefined) {
    const { wasInTime, faults } = interruption.judge(command, scene.out);
    scene.faults.push(...faults);
    isSeen &&= wasInTime;
  }
  if (scene.faults.length > 0) return "failed";
  if (code === 0) return "over";
  if (!isSeen) return "missed";
  scene.count(row);
  return "counted";
}

const sendAlone = (signal) => (scene, command) => {
  scene.signal(command, signal);
  return true; // a command that is over by then ended with 0
};

/**
 * The second one comes while the first one's last checkpoint waits for a backend that is stopped. Returns whether it did,
 * and not after that, while the backend is waited for to end.
 */
async function interruptTwice(scene, command, random) {
  const backend = backendOf(command.pid);
  if (backend === undefined || !kill(backend, "SIGSTOP")) return false;
  scene.signal(command, "SIGINT");
  await Promise.race([command.ended, setTimeout(random.between(1500, 3000))]);
  const isOrderly = () => command.lines.some((text) => text.includes("interrupted at step"));
  const isWaiting = !isOrderly() && command.signal("SIGINT");
  if (!isWaiting) command.signal("SIGKILL");
  await command.ended;
  kill(backend, "SIGCONT");
  if (isWaiting && isOrderly()) scene.faults.push("the second SIGINT did not end it at once");
  return isWaiting;
}

function momentOf({ place, signal }, random) {
  if (place === "setting up") return { at: "start", delay: random.between(0, 5000) };
  if (place === "training") {
    const at = IN_ORDER.includes(signal) ? "trained" : "training"; // so that there is something to save, and to lose
    return { at, nth: random.below(2), delay: random.between(0, 700) };
  }
  if (place === "planning") return { at: "planning", nth: random.below(2), delay: random.between(0, 15) };
  if (place === "saving") return { at: "saving", nth: random.below(8), delay: random.between(0, 12) };
  if (place === "between runs") return { at: "between runs", delay: random.between(0, 60) };
  return { at: "reporting", delay: random.between(0, 500) };
}
