// `npm start` and `npm test` at the same time, on a fresh clone, must not install over each other.
import { randomUUID } from "node:crypto";
import fs from "node:fs";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { isRunning, ownPlace, ownStart } from "./running-process.mjs";
import { locked } from "./sentences.mjs";
import { modified, readStamp } from "./stamps.mjs";

const LONGEST_WAIT_S = 3600;
const BEAT_S = 5;
/** After so much silence a holder that cannot be asked counts as gone. */
const SILENCE_S = 60;

/**
 * Waits until no other process holds the lock file, takes it, and gives back what releases it. Whether the holder still
 * runs is asked of the system; one of another container or machine is heard: it writes its lock anew every few seconds.
 */
export async function takeLock(path, say) {
  fs.mkdirSync(dirname(path), { recursive: true });
  const mine = `${process.pid} ${ownStart()} ${ownPlace()} ${randomUUID()}`;
  for (let waited = 0; ; waited += 0.25) {
    const { isTaken, now } = attempt(path, mine);
    if (isTaken) break;
    const holder = readStamp(path);
    if (isStale(path, now)) removeStale(path, now);
    else if (holder !== null && waited === 0) say(waitingFor(holder, path));
    else if (waited > LONGEST_WAIT_S) throw locked(path, pidOf(holder));
    await sleep(250);
  }
  const hush = beat(path, mine);
  return () => {
    hush();
    if (readStamp(path) === mine) fs.rmSync(path, { force: true });
  };
}

/** Says that the holder lives, in place, by the file that is open, whoever has the name by now. Returns what ends it. */
function beat(path, text) {
  const file = fs.openSync(path, "r+");
  const timer = setInterval(() => {
    try {
      fs.writeSync(file, text, 0);
    } catch {
      // a disk that refuses is told by the step that needs it
    }
  }, BEAT_S * 1000).unref();
  return () => {
    clearInterval(timer);
    fs.closeSync(file);
  };
}

function waitingFor(holder, path) {
  const heard = isOfHere(holder)
    ? `if it is no set-up, delete ${path}`
    : `in another container or machine; after ${SILENCE_S} s of silence it counts as gone`;
  return `set-up: waiting for process ${pidOf(holder)} (${heard})\n`;
}

/**
 * The lock has its name only once it is whole, and only if nobody else has it: `link` never replaces. `now` is by the
 * clock of the file system, in milliseconds.
 */
function attempt(path, text) {
  const aside = privateName(path);
  fs.writeFileSync(aside, text);
  const now = fs.statSync(aside).mtimeMs;
  try {
    linkOrWrite(aside, path, text);
    return { isTaken: true, now };
  } catch (error) {
    if (error.code === "EEXIST") return { isTaken: false, now };
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
function removeStale(path, now) {
  const aside = privateName(path);
  try {
    fs.renameSync(path, aside);
    if (!isStale(aside, now)) fs.linkSync(aside, path);
  } catch (error) {
    if (error.code !== "ENOENT" && error.code !== "EEXIST") throw error;
  } finally {
    fs.rmSync(aside, { force: true });
  }
}

const privateName = (path) => `${path}.${randomUUID()}`;

const pidOf = (holder) => Number.parseInt(holder, 10);

/** Whether it can be asked about. Locks of before have three words, and tell no place. */
function isOfHere(holder) {
  const [, , place, id] = holder.split(" ");
  return id === undefined || place === ownPlace();
}

/** Of a process that is gone; one that names nobody was left by a machine that went down. */
function isStale(path, now) {
  const holder = readStamp(path);
  if (holder === null) return false;
  const [pid, start = ""] = holder.split(" ");
  if (!/^\d+$/.test(pid)) return true;
  if (isOfHere(holder)) return !isRunning(Number(pid), start);
  const heard = modified(path);
  return heard !== null && now - heard >= SILENCE_S * 1000;
}
