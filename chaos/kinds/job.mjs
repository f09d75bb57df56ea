// A signal to all processes of a job, as a terminal or a scheduler sends it: the controller alone acts on it, the backend
// is still there for a last checkpoint.
import { backendOf, killAll } from "../processes.mjs";
import { disturb } from "./controller.mjs";

const PLANS = [
  { place: "training", nth: 0, signal: "SIGTERM" },
  { place: "training", nth: 2, signal: "SIGTERM" },
  { place: "saving", nth: 3, signal: "SIGTERM" },
  { place: "training", nth: 1, signal: "SIGINT" },
  { place: "training", nth: 2, signal: "SIGUSR1" },
  { place: "training", nth: 0, signal: "SIGHUP" },
];

export function jobCases() {
  return PLANS.map(({ place, nth, signal }, number) => {
    const row = `whole job ended, ${place}: ${signal}`;
    const [at, longest] = place === "training" ? ["trained", 700] : [place, 12];
    return {
      name: `job-${number}`,
      what: `${signal} to the whole job, ${place}`,
      planned: [row],
      run: (scene, random) => {
        const moment = { at, nth, delay: random.between(0, longest) };
        return disturb(scene, [{ signal, moment, row, send: sendToAll(signal) }], random);
      },
    };
  });
}

const sendToAll = (signal) => (scene, command) => {
  scene.look();
  const backend = backendOf(command.pid);
  return killAll(scene.folder, command.pid, signal).some(({ pid }) => pid === backend);
};
