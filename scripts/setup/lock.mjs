// `npm start` and `npm test` at the same time, on a fresh clone, must not install over each other.
import { randomUUID } from "node:crypto";
import fs from "node:fs";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { locked } from "./sentences.mjs";
import { readStamp } from "./stamps.mjs";

const LONGEST_WAIT_S = 3600;

/** Waits until no other process holds the lock file, takes it, and gives back what releases it. */
export async function takeLock(path, say) {
  fs.mkdirSync(dirname(path), { recursive: true });
  const mine = `${process.pid} ${startOf(process.pid)} ${randomUUID()}`;
  for (let waited = 0; !created(path, mine); waited += 0.25) {
    const holder = readStamp(path);
    if (isStale(holder)) removeStale(path);
    else if (holder !== null && waited === 0)
      say(`set-up: waiting for process ${pidOf(holder)} (if it is no set-up, delete ${path})\n`);
    else if (waited > LONGEST_WAIT_S) throw locked(path, pidOf(holder));
    await sleep(250);
  }
  return () => {
    if (readStamp(path) === mine) fs.rmSync(path, { force: true });
  };
}

/** It has its name only once it is whole, and only if nobody else has it: `link` never replaces. */
function created(path, text) {
  const aside = privateName(path);
  try {
    fs.writeFileSync(aside, text);
    linkOrWrite(aside, path, text);
    return true;
  } catch (error) {
    if (error.code === "EEXIST") return false;
    throw error;
  } finally {
    fs.rmSync(aside, { force: true });
  }
}

/** Where the file system has no links, it is there a moment before it is whole. */
function linkOrWrite(aside, path, text) {
  try {
    fs.linkSync(aside, path);
  } catch (error) {
    if (!["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS"].includes(error.code)) throw error;
    fs.writeFileSync(path, text, { flag: "wx" });
  }
}

/**
 * Moves it away and looks at it again: between the first look and the move, another process may have done the same and
 * put its own lock there, which then goes back.
 */
function removeStale(path) {
  const aside = privateName(path);
  try {
    fs.renameSync(path, aside);
    if (!isStale(readStamp(aside))) fs.linkSync(aside, path);
  } catch (error) {
    if (error.code !== "ENOENT" && error.code !== "EEXIST") throw error;
  } finally {
    fs.rmSync(aside, { force: true });
  }
}

const privateName = (path) => `${path}.${randomUUID()}`;

const pidOf = (holder) => Number.parseInt(holder, 10);

/** Of a process that has ended; one that names nobody was left by a machine that went down. */
function isStale(holder) {
  if (holder === null) return false;
  const [pid, start = ""] = holder.split(" ");
  if (!/^\d+$/.test(pid) || !isRunning(Number(pid))) return true;
  return start === "" ? Number(pid) === process.pid : start !== startOf(pid);
}

function isRunning(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}

/** When it started, in ticks since boot; "-" where the system does not say: a number alone is given again. */
function startOf(pid) {
  const stat = readStamp(`/proc/${pid}/stat`);
  return stat === null ? "-" : stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
}
