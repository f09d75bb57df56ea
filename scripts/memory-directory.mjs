// Where tests put their files: they write little, but much of it through to the disk, and would wait for that.
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import { join } from "node:path";
import { isRunning, ownPlace, ownStart } from "./setup/running-process.mjs";
import { readStamp } from "./setup/stamps.mjs";

const SHARED_MEMORY = "/dev/shm";
const LEAST_BYTES = 2 ** 31;
/** Short, for a socket below it has a path of about 100 bytes: whose it is stands in a file. */
const PREFIX = "ib-";
const OWNER = ".owner";
/** So old is none whose process is about to say that it is its own. */
const ORPHAN_MILLISECONDS = 3_600_000;

/**
 * A new directory in memory, for as long as this process runs; undefined where there is none with 2 GiB free in which a
 * program can be run. Those of processes that were killed are removed before.
 */
export function makeMemoryDirectory(parent = SHARED_MEMORY, leastBytes = LEAST_BYTES) {
  let directory;
  try {
    removeOrphans(parent);
    const { bavail, bsize } = fs.statfsSync(parent);
    if (bavail * bsize < leastBytes) return undefined;
    directory = fs.mkdtempSync(join(parent, PREFIX));
    fs.writeFileSync(join(directory, OWNER), `${ownPlace()} ${process.pid} ${ownStart()}`);
    fs.chmodSync(directory, 0o711); // for tests that give up their rights
  } catch {
    if (directory !== undefined) fs.rmSync(directory, { recursive: true, force: true });
    return undefined;
  }
  const remove = () => fs.rmSync(directory, { recursive: true, force: true });
  if (runsPrograms(directory)) {
    process.once("exit", remove);
    return directory;
  }
  remove();
  return undefined;
}

function removeOrphans(parent) {
  for (const name of fs.readdirSync(parent).filter((name) => name.startsWith(PREFIX))) {
    const directory = join(parent, name);
    if (isOrphan(directory)) removeIfOurs(directory);
  }
}

function isOrphan(directory) {
  const owner = readStamp(join(directory, OWNER));
  if (!owner) return isOld(directory);
  const [place, pid, start] = owner.split(" ");
  return place === ownPlace() && !isRunning(Number(pid), start);
}

/** Of one of this user's: who made it was killed before it said so. */
function isOld(directory) {
  const seen = fs.statSync(directory, { throwIfNoEntry: false });
  return seen?.uid === process.getuid?.() && Date.now() - seen.mtimeMs > ORPHAN_MILLISECONDS;
}

function removeIfOurs(directory) {
  try {
    fs.rmSync(directory, { recursive: true, force: true });
  } catch {
    // another user's
  }
}

function runsPrograms(directory) {
  const path = join(directory, "program");
  fs.writeFileSync(path, "#!/bin/sh\nexit 0\n", { mode: 0o700 });
  const { status } = spawnSync(path);
  fs.rmSync(path);
  return status === 0;
}
