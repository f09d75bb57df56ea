// Waiting for a moment of a command at which something is done to it.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { begunIn, newestStep } from "./checkpoints.mjs";
import { read } from "./files.mjs";
import { backendOf } from "./processes.mjs";
import { begins, underWay } from "./told.mjs";

/** Between two looks, in milliseconds: a save takes some. */
const LOOK = 1;

/**
 * Waits for a moment and `delay` milliseconds more. Resolves to what tells whether it is that moment still; to undefined
 * where the command ended before.
 * - start: it was given, and no run has started
 * - backend: it has started a backend (another one than `other`, if named), and no run has started with it
 * - training: a run has started, or goes on, the `nth` of them by this command
 * - trained: that, and the run has a checkpoint
 * - planning: the order of one's own makes a plan, the `nth` of this command
 * - saving: a checkpoint is written, the `nth` that is seen
 * - before a save: as long after a checkpoint as the last one came after that before it, and no other was begun
 * - between runs: a run has ended, the `nth` of them by this command, and no other has started
 * - reporting: all runs have ended
 */
export async function reached(command, scene, { at, nth = 0, delay = 0, other }) {
  const isStill = await MOMENTS[at](command, scene, { nth, delay, other });
  if (isStill === undefined) return undefined;
  return delay === 0 || at === "before a save" || (await after(command, delay)) ? isStill : undefined;
}

/** As `reached`, tried again until it is that moment still: true then, false where the command ended before. */
export async function met(command, scene, momentOf) {
  for (let aims = 0; aims < MOST_AIMS; aims++) {
    const isStill = await reached(command, scene, momentOf());
    if (isStill === undefined) return false;
    if (isStill()) return true;
  }
  return false;
}

const MOST_AIMS = 8;

const MOMENTS = {
  start:
    async ({ lines }) =>
    () =>
      !lines.some(begins),
  backend: async (command, _scene, { other }) => {
    const isOther = (pid) => pid !== undefined && pid !== other;
    if (!(await looking(command, () => isOther(backendOf(command.pid))))) return undefined;
    const before = command.lines.length;
    return () => !command.lines.slice(before).some(begins);
  },
  training: async (command, _scene, { nth }) =>
    (await line(command, begins, nth)) ? () => underWay(command.lines) !== undefined : undefined,
  trained: async (command, { out }, { nth }) => {
    const arm = begins((await line(command, begins, nth)) ?? "")?.arm;
    if (arm === undefined || !(await looking(command, () => newestStep(out, arm) !== undefined))) return undefined;
    return () => underWay(command.lines) === arm;
  },
  planning: async (command, { folder }, { nth }) => {
    const marks = () => read(join(folder, "planning"));
    const begun = () => marks().replaceAll(")", "").length;
    const before = begun();
    return (await looking(command, () => begun() > before + nth)) ? () => marks().endsWith("(") : undefined;
  },
  saving: async (command, { out }, { nth }) => {
    const path = await save(command, out, nth);
    return path && (() => existsSync(path) && !existsSync(join(path, "manifest.json")));
  },
  "before a save": async (command, { out }, { nth, delay }) => {
    if ((await save(command, out, nth)) === undefined) return undefined;
    const first = performance.now();
    if ((await save(command, out, 0)) === undefined) return undefined;
    const gap = performance.now() - first;
    const before = begunIn(out);
    const isStill = () => underWay(command.lines) !== undefined && !begunIn(out).some((one) => !before.includes(one));
    return (await after(command, Math.max(0, gap - delay - 10))) ? isStill : undefined;
  },
  "between runs": async (command, _scene, { nth }) =>
    (await line(command, (text) => /\] .*(?<!kept, )done: /.test(text), nth))
      ? () => underWay(command.lines) === undefined
      : undefined,
  reporting: async (command) =>
    (await line(command, (text) => /^\[(\d+)\/\1\] .*done: /.test(text), 0)) ? () => !command.isOver : undefined,
};

/** Whether it still runs then. */
async function after(command, milliseconds) {
  await setTimeout(milliseconds);
  return !command.isOver;
}

async function looking(command, look) {
  while (!command.isOver) {
    if (look()) return true;
    await setTimeout(LOOK);
  }
  return false;
}

/** Resolves to the nth line from now on of which this is so; to undefined where the command ended before. */
export async function line(command, isIt, nth = 0) {
  let left = nth;
  let end = () => {};
  const seen = new Promise((resolve) => {
    end = command.onLine((text) => {
      if (isIt(text) && left-- === 0) resolve(text);
    });
  });
  const result = await Promise.race([seen, command.ended.then(() => undefined)]);
  end();
  return result;
}

/** Resolves to the directory of the nth checkpoint that is begun from now on; to undefined where the command ended before. */
async function save(command, out, nth) {
  if (underWay(command.lines) === undefined) await line(command, begins); // looking costs: not before there is a run
  const before = new Set(begunIn(out));
  const begun = () => begunIn(out).find((path) => !before.has(path));
  for (let left = nth; ; left--) {
    let path;
    const isBegun = await looking(command, () => {
      path = begun();
      return path !== undefined;
    });
    if (!isBegun) return undefined;
    if (left === 0) return path;
    for (const seen of begunIn(out)) before.add(seen);
  }
}
