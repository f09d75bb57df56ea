// Where tests put their files: they write little, but much of it through to the disk, and would wait for that.
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import { join } from "node:path";

const SHARED_MEMORY = "/dev/shm";
const LEAST_BYTES = 2 ** 31;

/** A new directory in memory; undefined where there is none with 2 GiB free in which a program can be run. */
export function makeMemoryDirectory(parent = SHARED_MEMORY, leastBytes = LEAST_BYTES) {
  let directory;
  try {
    const { bavail, bsize } = fs.statfsSync(parent);
    if (bavail * bsize < leastBytes) return undefined;
    directory = fs.mkdtempSync(join(parent, "ibatch-test-"));
  } catch {
    return undefined;
  }
  if (runsPrograms(directory)) return directory;
  fs.rmSync(directory, { recursive: true });
  return undefined;
}

function runsPrograms(directory) {
  const path = join(directory, "program");
  fs.writeFileSync(path, "#!/bin/sh\nexit 0\n", { mode: 0o700 });
  const { status } = spawnSync(path);
  fs.rmSync(path);
  return status === 0;
}
