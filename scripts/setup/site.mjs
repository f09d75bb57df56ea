// Where set-up works and how: the folder, the environment, where its lines go, how tools are run, what a step is.
import fs from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { takeLock } from "./lock.mjs";
import { runTool } from "./tools.mjs";

export const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), "..", "..");

/** Tests give another `root`, `env`, `run` or `say`. All that tools print goes into `.setup/log.txt`. */
export function createSite({ root = ROOT, env = process.env, run = runTool, say = toStderr, quiet = false } = {}) {
  const log = join(root, ".setup", "log.txt");
  const write = openLog(log);
  const runLogged = (command, args, options = {}) => {
    write(`\n$ ${[command, ...args].join(" ")}\n`);
    return run(command, args, { cwd: root, env, onData: write, ...options });
  };
  return { root, env, log, run: runLogged, say: quiet ? () => {} : say };
}

/** Nothing where `done()` says so; else `act()`, with a line that ends with its seconds, in one process at a time. */
export async function step(site, title, done, act) {
  if (done()) return;
  const release = await takeLock(join(site.root, ".setup", "lock"), site.say);
  try {
    if (done()) return;
    site.say(`set-up: ${title} … `);
    site.say(await timed(act));
  } catch (error) {
    site.say("failed\n");
    throw error;
  } finally {
    release();
  }
}

async function timed(act) {
  const start = performance.now();
  await act();
  return `${((performance.now() - start) / 1000).toFixed(1)} s\n`;
}

function toStderr(text) {
  process.stderr.write(text);
}

/** Begun anew by each set-up that runs a tool. A full disk must not hide what the tool says about it. */
function openLog(path) {
  let flag = "w";
  return (text) => {
    try {
      fs.mkdirSync(dirname(path), { recursive: true });
      fs.writeFileSync(path, text, { flag });
      flag = "a";
    } catch {}
  };
}
