// The backend is killed under a run: the same command starts another one and goes on.
import { newestStep } from "../checkpoints.mjs";
import { line, met, reached } from "../moments.mjs";
import { backendOf, kill } from "../processes.mjs";
import { afterLoss, begins, underWay } from "../told.mjs";

/** A kill by the system, and a crash. */
const SIGNALS = ["SIGKILL", "SIGKILL", "SIGKILL", "SIGSEGV"];

/**
 * How a command may end where its first backend died as it was started, or one as it opened a run that had not begun:
 * that run fails, or none can be had, and the same command goes on. A run that has begun gets another backend, and yet
 * another one where that dies as it starts.
 */
const FAILED = [3, 4];
/** Of a case: more mean that it does not go on. */
const MOST_COMMANDS = 8;

const IN_A_COMMAND = [
  ["training", "before a save", "planning", "training"],
  ["before a save", "saving", "training", "training"],
  ["training", "saving", "starting", "before a save"],
  ["planning", "training", "before a save", "training"],
];

export function backendCases() {
  return Array.from({ length: 16 }, (_, at) => {
    const places = IN_A_COMMAND[at % IN_A_COMMAND.length];
    return {
      name: `backend-${at}`,
      what: `killed ${places.join(", ")}`,
      planned: places.map(rowOfKill),
      run: (scene, random) => killOneAfterAnother(scene, places, random),
    };
  });
}

export const rowOfKill = (place) => `backend killed, ${place}`;

async function killOneAfterAnother(scene, places, random) {
  const left = [...places];
  let kills = new Kills(scene, scene.give(), random);
  while (left.length > 0) {
    const wasHit = await kills.killAt(left[0]);
    if (wasHit) left.shift();
    else if (kills.command.isOver) {
      if ((await kills.end()) === 0 || scene.faults.length > 0 || scene.commands === MOST_COMMANDS) break;
      kills = new Kills(scene, scene.give(), random);
    }
  }
  if (!kills.hasEnded) await kills.end();
  if (kills.code === 0) await scene.check();
  else if (scene.faults.length === 0) await scene.finish();
}

/** Of the backends of one command, one after another. */
export class Kills {
  command;
  /** Once it has ended. */
  code;
  hasEnded = false;
  #scene;
  #random;
  #killed;
  #mayFail = false;
  /** Runs that are to go on with another backend: from which line on, and from which step at least. */
  #goingOn = [];

  constructor(scene, command, random) {
    this.#scene = scene;
    this.command = command;
    this.#random = random;
  }

  /** Kills the backend at this place, once. Returns whether it was there: else the command has ended, or it came to nothing. */
  async killAt(place, momentOf = () => drawMoment(place, this.#random, this.#killed)) {
    const [scene, command] = [this.#scene, this.command];
    const other = this.#killed;
    if (place !== "starting" && !(await reached(command, scene, { at: "backend", other }))) return false;
    if (!(await met(command, scene, momentOf))) return false;
    const backend = backendOf(command.pid);
    const [arm, from] = [underWay(command.lines), command.lines.length];
    scene.look();
    if (backend === undefined || !kill(backend, this.#random.pick(SIGNALS))) return false;
    this.#killed = backend;
    const step = arm && newestStep(scene.out, arm);
    const loss = afterLoss((await line(command, afterLoss)) ?? "");
    const hasBegun = loss?.arm !== undefined && (loss.arm === arm || newestStep(scene.out, loss.arm) !== undefined);
    const { wasHit, mayFail, fault } = judgeLoss({ place, arm }, loss, hasBegun);
    if (loss?.how === "restarted" && arm !== undefined) this.#goingOn.push({ arm, from, step });
    this.#mayFail ||= mayFail;
    if (fault !== undefined) scene.faults.push(fault);
    if (wasHit) scene.count(rowOfKill(place));
    return wasHit;
  }

  async end() {
    this.hasEnded = true;
    const { code } = await this.#scene.end(this.command, 0, ...(this.#mayFail ? FAILED : []));
    this.code = code;
    for (const { arm, from, step = 0 } of this.#goingOn) {
      const lines = this.command.lines.slice(from);
      const next = lines.map(begins).find((one) => one?.arm === arm);
      if (next === undefined ? code !== 0 : (next.step ?? 0) >= step) continue;
      const how = next === undefined ? "did not go on" : `went on from step ${next.step ?? 0}`;
      this.#scene.faults.push(`${arm} got another backend and ${how}, expected step ${step} or a later one`);
    }
    return code;
  }
}

/**
 * What it means that a backend was lost at a place while the run of `arm` was under way (undefined: none was), and that
 * this came of it (undefined: the command ended). `hasBegun`: the run that it names.
 */
export function judgeLoss({ place, arm }, loss, hasBegun) {
  if (place === "starting" && arm === undefined) return { wasHit: true, mayFail: loss?.how !== "restarted" };
  if (loss?.how === "restarted" || loss?.how === "tried") return { wasHit: true, mayFail: false };
  if (loss?.how === "failed" && hasBegun)
    return { wasHit: false, mayFail: true, fault: `${loss.arm} had begun, and failed of it: ${loss.line}` };
  if (loss === undefined && arm !== undefined)
    return { wasHit: false, mayFail: true, fault: `${arm} had begun, and the command ended of it` };
  // The run was over, or has not begun: opening the next one, or this one, may fail of it.
  return { wasHit: arm === undefined, mayFail: true };
}

function drawMoment(place, random, other) {
  if (place === "starting") return { at: "backend", other, delay: random.between(0, 3000) };
  if (place === "training") return { at: "training", delay: random.between(0, 700) };
  if (place === "planning") return { at: "planning", nth: random.below(2), delay: random.between(0, 15) };
  return { at: place, nth: random.below(4), delay: random.between(0, 10) };
}
