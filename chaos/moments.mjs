// Waiting for a moment of a command at which something is done to it.
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { backendOf } from "./processes.mjs";

/** Between two looks, in milliseconds: a save takes some. */
const LOOK = 1;

/**
 * Resolves to true at the moment and `delay` milliseconds later, to false where the command ended before.
 * - start: it was given
 * - backend: it has started a backend (another one than `other`, if named)
 * - training: a run has started, or goes on, the `nth` of them by this command
 * - planning: the order of one's own makes a plan, the `nth` of this command
 * - saving: a checkpoint was begun, the `nth` that is seen
 * - before a save: as long after a checkpoint as the last one came after that before it
 * - between runs: a run has ended, the `nth` of them by this command
 * - reporting: all runs have ended
 */
export async function reached(command, scene, { at, nth = 0, delay = 0, other }) {
  const wait = {
    start: async () => true,
    backend: () => looking(command, () => isOther(backendOf(scene.mark, command.pid), other)),
    training: () => line(command, /\] .* (?:started|goes on from step \d+, .*)$/, nth),
    planning: () => looking(command, grown(join(scene.folder, "planning"), nth)),
    saving: () => saves(command, scene.out, nth),
    "before a save": async () => {
      const gap = await gapOfSaves(command, scene.out, nth);
      return gap !== undefined && (await after(command, Math.max(0, gap - delay - 10)));
    },
    "between runs": () => line(command, /\] .*(?<!kept, )done: /, nth),
    reporting: () => line(command, /^\[(\d+)\/\1\] .*done: /, 0),
  }[at];
  return (await wait()) && (at === "before a save" || (await after(command, delay)));
}

const isOther = (pid, other) => pid !== undefined && pid !== other;

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

/** The nth line from now on. */
async function line(command, pattern, nth) {
  let left = nth;
  let end = () => {};
  const seen = new Promise((resolve) => {
    end = command.onLine((text) => {
      if (pattern.test(text) && left-- === 0) resolve(true);
    });
  });
  const result = await Promise.race([seen, command.ended.then(() => false)]);
  end();
  return result;
}

/** Whether a file has more than `nth` bytes more than now. */
function grown(path, nth) {
  const size = () => statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  const before = size();
  return () => size() > before + nth;
}

async function saves(command, out, nth) {
  const before = new Set(checkpoints(out));
  for (let left = nth; ; left--) {
    if (!(await looking(command, () => checkpoints(out).some((path) => !before.has(path))))) return false;
    if (left === 0) return true;
    for (const path of checkpoints(out)) before.add(path);
  }
}

/** Milliseconds between the nth save and the one after. */
async function gapOfSaves(command, out, nth) {
  if (!(await saves(command, out, nth))) return undefined;
  const first = performance.now();
  return (await saves(command, out, 0)) ? performance.now() - first : undefined;
}

/** Of all runs, finished or not. */
function checkpoints(out) {
  return listed(out).flatMap((arm) =>
    listed(join(out, arm)).flatMap((run) => {
      const directory = join(out, arm, run, "checkpoint");
      return listed(directory).map((step) => join(directory, step));
    }),
  );
}

function listed(directory) {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}
