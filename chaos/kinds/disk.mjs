// The disk fills up, or files may not grow, while checkpoints are written; then there is room again.
import { execFileSync } from "node:child_process";
import { appendFileSync, cpSync, mkdirSync, rmSync, statfsSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { read } from "../files.mjs";
import { endProcesses, unmountBelow } from "../leftovers.mjs";
import { reached } from "../moments.mjs";

const FULL = "disk full during a save";
export const LIMITED = "file size limited during a save";

/** Bytes. A run directory has about 1.3 MB, a checkpoint 0.25. */
const DISK = 8 << 20;
/** The log's line that a save was refused finds room, a checkpoint none. */
const LEAST_LEFT = 20_000;
const MOST_LEFT = 200_000;
const SIZE_LIMIT = 100_000;

/** Where something cannot be written that counts: exit code 4, or 3 where a run failed of it. */
export const REFUSED = [3, 4];
const REASON = /the disk is full|the file grows too large/;

export function diskCases(_options, can = abilities()) {
  return [
    ...Array.from({ length: 6 }, (_, at) => ({ row: FULL, at, isSkipped: !can.mount, run: fillUp })),
    ...Array.from({ length: 4 }, (_, at) => ({ row: LIMITED, at, isSkipped: !can.limit, run: limitSize })),
  ].map(({ row, at, isSkipped, run }) => ({
    name: `disk-${row === FULL ? "full" : "limited"}-${at}`,
    what: row,
    planned: [row],
    skipped: isSkipped ? WHY_SKIPPED[row] : undefined,
    run,
  }));
}

export const WHY_SKIPPED = {
  [FULL]: "a tmpfs can be mounted by root alone",
  [LIMITED]: "there is no prlimit here",
};

/** What this machine lets us do. */
export function abilities() {
  const works = (program, ...args) => {
    try {
      execFileSync(program, args, { stdio: "ignore" });
      return true;
    } catch {
      return false;
    }
  };
  return {
    mount: process.getuid?.() === 0 && works("unshare", "--mount", "true"),
    limit: works("prlimit", "--version"),
  };
}

async function fillUp(scene, random) {
  mkdirSync(scene.out);
  execFileSync("mount", ["-t", "tmpfs", "-o", `size=${DISK}`, "ibatch-chaos", scene.out]);
  let isWell = false;
  try {
    const ballast = join(scene.out, "ballast");
    const command = scene.give();
    if (await reached(command, scene, { at: "saving", nth: random.below(8), delay: random.between(0, 20) }))
      await holdFull(command, scene, ballast, random);
    rmSync(ballast, { force: true });
    await endRefused(scene, command);
    if (refusedSaves(scene) > 0) scene.count(FULL);
    isWell = scene.faults.length === 0;
  } finally {
    if (!isWell) keepAsItIs(scene);
    unmountBelow(scene.folder);
  }
}

/** What is mounted is gone with the case. Throws nothing: what went wrong before is to be told. */
function keepAsItIs({ folder, out, faults }) {
  endProcesses(folder);
  try {
    cpSync(out, join(folder, "out-as-it-was"), { recursive: true });
  } catch (error) {
    faults.push(`${out} could not be kept as it was: ${error.message}`);
  }
}

/** Until a save was refused, and a while longer: what the run makes room for is filled, too. */
async function holdFull(command, scene, ballast, random) {
  const left = Math.floor(random.between(LEAST_LEFT, MOST_LEFT));
  const longer = random.between(0, 1000);
  let until = Number.POSITIVE_INFINITY;
  while (!command.isOver && performance.now() < until) {
    fill(ballast, left);
    if (until === Number.POSITIVE_INFINITY && refusedSaves(scene) > 0) until = performance.now() + longer;
    await setTimeout(1);
  }
}

function fill(ballast, left) {
  const { bavail, bsize } = statfsSync(dirname(ballast));
  const bytes = bavail * bsize - left;
  if (bytes <= 0) return;
  try {
    appendFileSync(ballast, Buffer.alloc(bytes));
  } catch (error) {
    if (error.code !== "ENOSPC") throw error; // the run took it meanwhile: full it is
  }
}

async function limitSize(scene, random) {
  const command = giveLimited(scene);
  await untilRefused(scene, command, 1 + random.below(4));
  await endRefused(scene, command);
}

/** Gives the command with files that may not grow. */
export const giveLimited = (scene) =>
  scene.give({ wrap: ["sh", "-c", `trap "" XFSZ; exec prlimit --fsize=${SIZE_LIMIT}:unlimited "$@"`, "sh"] });

/** Lets them grow again once so many saves were refused. */
export async function untilRefused(scene, command, most) {
  while (!command.isOver && refusedSaves(scene) < most) await setTimeout(1);
  if (refusedSaves(scene) > 0) scene.count(LIMITED);
  if (!command.isOver) execFileSync("prlimit", ["--fsize=unlimited:unlimited", "--pid", String(command.pid)]);
}

/** It may have failed, of the disk alone: then the same command goes on. */
async function endRefused(scene, command) {
  const { code } = await scene.end(command, 0, ...REFUSED);
  if (code === 0) return scene.check();
  if (scene.times(REASON) === 0) scene.faults.push(`the command ended with ${code}, and not of the disk`);
  if (scene.faults.length === 0) await scene.finish();
}

/** As the log has it: what a save could not write. */
function refusedSaves(scene) {
  const lines = read(join(scene.out, "log.txt")).split("\n");
  return lines.filter((line) => line.includes("goes on without a checkpoint at step") && REASON.test(line)).length;
}
