// What must not be there any more when a command has ended with 0.
import { readdirSync } from "node:fs";
import { basename } from "node:path";
import { setTimeout } from "node:timers/promises";
import { kill, processesWith } from "./processes.mjs";
import { filesBelow } from "./recorded.mjs";

/** A backend whose controller was killed notices it between two things that it does. */
const SECONDS_TO_GO = 30;

/** Lines that say what was left behind. Processes that stay are ended. */
export async function leftBehind({ out, temporary, mark }) {
  const orphans = await processesLeft(mark);
  for (const { pid } of orphans) kill(pid, "SIGKILL");
  const unfinished = filesBelow(out).filter((path) => basename(path).startsWith("lock") || path.endsWith(".partial"));
  return [
    ...orphans.map(({ pid, command }) => `process ${pid} is left: ${command.slice(0, 120)}`),
    ...unfinished.map((path) => `${path} is left`),
    ...readdirSync(temporary).map((name) => `${name} is left among temporary files`),
  ];
}

async function processesLeft(mark) {
  const until = performance.now() + 1000 * SECONDS_TO_GO;
  for (;;) {
    const left = processesWith(mark);
    if (left.length === 0 || performance.now() > until) return left;
    await setTimeout(50);
  }
}
