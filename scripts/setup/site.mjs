// Where set-up works and how: the folder, the environment, where its lines go, and how tools are run.
import fs from "node:fs";
import { dirname, join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { locked } from "./sentences.mjs";
import { runTool } from "./tools.mjs";

export const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), "..", "..");

/** `run` and `say` can be others, for tests. Tools run in `root`, with all they print in `.setup/log.txt`. */
export function createSite({ root = ROOT, env = process.env, run = runTool, say = toStderr, quiet = false } = {}) {
  const log = join(root, ".setup", "log.txt");
  const write = openLog(log);
  const runLogged = (command, args, options = {}) => {
    write(`\n$ ${[command, ...args].join(" ")}\n`);
    return run(command, args, { cwd: root, env, onData: write, ...options });
  };
  return { root, env, log, run: runLogged, say: quiet ? () => {} : say };
}

/** One step: nothing when `done()` says so, else `act()` between the two ends of a line, one process at a time. */
export async function step(site, title, done, act) {
  if (done()) return;
  const release = await takeLock(site);
  try {
    if (done()) return;
    const start = performance.now();
    site.say(`set-up: ${title} … `);
    await act().catch((error) => {
      site.say("failed\n");
      throw error;
    });
    site.say(`${((performance.now() - start) / 1000).toFixed(1)} s\n`);
  } finally {
    release();
  }
}

function toStderr(text) {
  process.stderr.write(text);
}

/** Starts anew with each set-up that runs a tool. A full disk must not hide what the tool said about it. */
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

/** `npm start` and `npm test` at the same time, on a fresh clone, must not install over each other. */
async function takeLock({ root, say }) {
  const path = join(root, ".setup", "lock");
  fs.mkdirSync(dirname(path), { recursive: true });
  for (let waited = 0; !created(path); waited += 0.25) {
    const holder = Number(fs.readFileSync(path, { encoding: "utf8", flag: "a+" }));
    if (!isRunning(holder)) fs.rmSync(path, { force: true });
    else if (waited === 0) say(`set-up: waiting for the set-up of process ${holder}\n`);
    else if (waited > 3600) throw locked(path, holder);
    await sleep(250);
  }
  return () => fs.rmSync(path, { force: true });
}

function created(path) {
  try {
    fs.writeFileSync(path, String(process.pid), { flag: "wx" });
    return true;
  } catch (error) {
    if (error.code === "EEXIST") return false;
    throw error;
  }
}

function isRunning(pid) {
  if (!(pid > 0) || pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}
