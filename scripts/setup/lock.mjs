// `npm start` and `npm test` at the same time, on a fresh clone, must not install over each other.
import fs from "node:fs";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { locked } from "./sentences.mjs";
import { readStamp } from "./stamps.mjs";

const LONGEST_WAIT_S = 3600;

/** Waits until no other process holds the lock file, takes it, and gives back what releases it. */
export async function takeLock(path, say) {
  fs.mkdirSync(dirname(path), { recursive: true });
  for (let waited = 0; !created(path); waited += 0.25) {
    const holder = readStamp(path);
    if (isStale(holder, waited)) fs.rmSync(path, { force: true });
    else if (waited === 0) say(`set-up: waiting for process ${holder} (if it is no set-up, delete ${path})\n`);
    else if (waited > LONGEST_WAIT_S) throw locked(path, holder);
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
    fs.rmSync(path, { force: true });
    throw error;
  }
}

/** A file that is still empty is about to be written, or was left so by a machine that went down. */
function isStale(holder, waited) {
  if (holder === null) return false;
  if (holder === "") return waited > 2;
  return !isRunning(Number(holder));
}

function isRunning(pid) {
  try {
    process.kill(pid, 0);
    return pid !== process.pid;
  } catch (error) {
    return error.code === "EPERM";
  }
}
