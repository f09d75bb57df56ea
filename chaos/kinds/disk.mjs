// The disk fills up, or files may not grow, while checkpoints are written; then there is room again.
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { reached } from "../moments.mjs";
import { Random } from "../random.mjs";

const FULL = "disk full during a save";
const LIMITED = "file size limited during a save";

/** Bytes. A run directory has about 1.3 MB, a checkpoint 0.25. */
const DISK = 8 << 20;
const LEAST_LEFT = 0;
const MOST_LEFT = 200_000;
const SIZE_LIMIT = 100_000;

/** Where something cannot be written that counts: exit code 4, or 3 where a run failed of it. */
const ALLOWED = [3, 4];

export function diskCases({ seed, quick }, can = abilities()) {
  const [full, limited] = quick ? [0, 1] : [6, 4];
  return [
    ...Array.from({ length: full }, (_, at) => ({ row: FULL, at, isSkipped: !can.mount, run: fillUp })),
    ...Array.from({ length: limited }, (_, at) => ({ row: LIMITED, at, isSkipped: !can.limit, run: limitSize })),
  ].map(({ row, at, isSkipped, run }) => ({
    name: `disk-${row === FULL ? "full" : "limited"}-${at}`,
    what: row,
    planned: [row],
    skipped: isSkipped ? WHY_SKIPPED[row] : undefined,
    run: (scene) => run(scene, new Random(seed, row, at)),
  }));
}

const WHY_SKIPPED = {
  [FULL]: "a tmpfs can be mounted by root alone",
  [LIMITED]: "there is no prlimit here",
};

/** What this machine lets us do. */
function abilities() {
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
  try {
    const ballast = join(scene.out, "ballast");
    const command = scene.give();
    if (await reached(command, scene, { at: "saving", nth: random.below(8), delay: random.between(0, 20) })) {
      const left = Math.floor(random.between(LEAST_LEFT, MOST_LEFT));
      const { bavail, bsize } = statfsSync(scene.out);
      writeFileSync(ballast, Buffer.alloc(Math.max(0, bavail * bsize - left)));
      scene.count(FULL);
    }
    await Promise.race([command.ended, setTimeout(random.between(200, 1500))]);
    rmSync(ballast, { force: true });
    const { code } = await scene.end(command, 0, ...ALLOWED);
    if (code === 0) await scene.check();
    else await scene.finish();
  } finally {
    execFileSync("umount", ["--lazy", scene.out]);
  }
}

async function limitSize(scene, random) {
  const ignoring = ["sh", "-c", `trap "" XFSZ; exec prlimit --fsize=${SIZE_LIMIT}:unlimited "$@"`, "sh"];
  const command = scene.give({ wrap: ignoring });
  const refused = () => (read(join(scene.out, "log.txt")).match(/no checkpoint at step/g) ?? []).length;
  const most = 1 + random.below(4);
  while (!command.isOver && refused() < most) await setTimeout(5);
  if (refused() > 0) scene.count(LIMITED);
  if (!command.isOver) execFileSync("prlimit", ["--fsize=unlimited:unlimited", "--pid", String(command.pid)]);
  const { code } = await scene.end(command, 0, ...ALLOWED);
  if (code === 0) await scene.check();
  else await scene.finish();
}

function read(path) {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
