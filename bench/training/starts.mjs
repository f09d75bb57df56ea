// How long a command takes that starts nothing else: `node dist/cli/main.js …`, from its start to its end.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { median } from "../report.mjs";

const TIMES = 15;

/** Milliseconds, of so many in turn; a first one of each warms up and is not counted. */
export function startMilliseconds(root, commands) {
  const times = commands.map(() => []);
  for (let time = -1; time < TIMES; time++) {
    for (const [at, args] of commands.entries()) {
      const milliseconds = once(root, args);
      if (time >= 0) times[at].push(milliseconds);
    }
  }
  return times.map((of) => ({ median: median(of), least: Math.min(...of), most: Math.max(...of) }));
}

function once(root, args) {
  const began = performance.now();
  const { status, stderr } = spawnSync(process.execPath, [join(root, "dist/cli/main.js"), ...args], { stdio: "pipe" });
  const milliseconds = performance.now() - began;
  if (status !== 0) throw new Error(`ibatch ${args.join(" ")} ended with ${status}: ${stderr}`);
  return milliseconds;
}
