// The controller is killed or asked to end: the same command goes on.
import { reached } from "../moments.mjs";
import { Random } from "../random.mjs";

/** How a command ends after each. */
const ENDS = {
  SIGKILL: ["SIGKILL"],
  SIGINT: [130, "SIGINT"],
  SIGTERM: [143, "SIGTERM"],
  SIGHUP: [129, "SIGHUP"],
  SIGUSR1: [138, "SIGUSR1"],
  "SIGINT twice": [130, "SIGINT"],
};
const OFTEN = ["SIGKILL", "SIGINT", "SIGTERM"];
const ALL = [...OFTEN, "SIGKILL", "SIGINT twice", "SIGUSR1", "SIGTERM", "SIGHUP", "SIGINT"];

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
const QUICK = [["saving", "training"]];

export function controllerCases({ seed, quick }) {
  const plans = quick ? QUICK : Array.from({ length: 30 }, (_, at) => IN_A_CASE[at % IN_A_CASE.length]);
  let number = seed;
  return plans.map((places, at) => {
    const kills = places.map((place) => ({ place, signal: signalAt(number++, place) }));
    return {
      name: `controller-${at}`,
      what: kills.map(({ place, signal }) => `${signal} ${place}`).join(", "),
      planned: kills.map(row),
      run: (scene) => disturb(scene, kills, new Random(seed, "controller", at)),
    };
  });
}

/** Before it listens, Node takes SIGUSR1 for something else. */
const signalAt = (number, place) => (place === "setting up" ? OFTEN[number % OFTEN.length] : ALL[number % ALL.length]);

const row = ({ place, signal }) => `controller ended, ${place}: ${signal}`;

async function disturb(scene, kills, random) {
  for (const one of kills) {
    const command = scene.give();
    if (await reached(command, scene, momentOf(one.place, random))) {
      command.signal(one.signal.split(" ")[0]);
      if (one.signal.endsWith("twice")) setTimeout(() => command.signal("SIGINT"), random.between(1, 100));
    }
    const { code } = await scene.end(command, 0, ...ENDS[one.signal]);
    if (code !== 0) scene.count(row(one)); // else it came too late
  }
  await scene.finish();
}

function momentOf(place, random) {
  if (place === "setting up") return { at: "start", delay: random.between(0, 5000) };
  if (place === "training") return { at: "training", nth: random.below(2), delay: random.between(0, 700) };
  if (place === "planning") return { at: "planning", nth: random.below(2), delay: random.between(0, 30) };
  if (place === "saving") return { at: "saving", nth: random.below(8), delay: random.between(0, 12) };
  if (place === "between runs") return { at: "between runs", delay: random.between(0, 60) };
  return { at: "reporting", delay: random.between(0, 500) };
}
