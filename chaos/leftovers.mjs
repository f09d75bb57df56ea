// What must not be there any more when a command has ended with 0, and an end to all that is left.
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import { setTimeout } from "node:timers/promises";
import { kill, processesIn } from "./processes.mjs";
import { filesBelow } from "./recorded.mjs";

/** A backend whose controller was killed notices it between two things that it does. */
const SECONDS_TO_GO = 30;

/** Lines that say what was left behind. Processes that stay are ended. */
export async function leftBehind({ out, temporary, folder }) {
  const orphans = await processesLeft(folder);
  for (const { pid } of orphans) kill(pid, "SIGKILL");
  const unfinished = filesBelow(out).filter((path) => basename(path).startsWith("lock") || path.endsWith(".partial"));
  return [
    ...orphans.map(({ pid, command }) => `process ${pid} is left: ${command.slice(0, 120)}`),
    ...unfinished.map((path) => `${path} is left`),
    ...readdirSync(temporary).map((name) => `${name} is left among temporary files`),
  ];
}

async function processesLeft(folder) {
  const until = performance.now() + 1000 * SECONDS_TO_GO;
  for (;;) {
    const left = processesIn(folder);
    if (left.length === 0 || performance.now() > until) return left;
    await setTimeout(50);
  }
}

/** Kills what was started for this folder or one below it, and unmounts what is mounted below it. */
export function endAll(folder) {
  endProcesses(folder);
  unmountBelow(folder);
}

/** Kills what was started for this folder or one below it. */
export function endProcesses(folder) {
  for (let rounds = 0; rounds < MOST_ROUNDS; rounds++) {
    const left = processesIn(folder);
    if (left.length === 0) break;
    for (const { pid } of left) kill(pid, "SIGKILL");
  }
}

/** What is killed may just have started another one, or take its time to go. */
const MOST_ROUNDS = 500;

export function unmountBelow(folder) {
  const mounted = readFileSync("/proc/mounts", "utf8")
    .split("\n")
    .map((line) => line.split(" ")[1] ?? "");
  for (const path of mounted.filter((one) => one.startsWith(`${folder}/`))) execFileSync("umount", ["--lazy", path]);
}
