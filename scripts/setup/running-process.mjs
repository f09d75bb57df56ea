// Which process holds something, and whether it still runs. As src/running-process.ts, which cannot be imported here:
// set-up compiles it.
import fs from "node:fs";
import { readStamp } from "./stamps.mjs";

/** When this process started, in ticks since boot; "-" where the system does not say. */
export const ownStart = () => statusOf(process.pid)?.start ?? "-";

/** What numbers of processes mean here, in one word: one boot of one machine, and one namespace (container) of it. */
export function ownPlace() {
  const boot = readStamp("/proc/sys/kernel/random/boot_id")?.trim() ?? "-";
  return `${boot}/${linkOf("/proc/self/ns/pid") ?? "-"}`;
}

/** Of a process of this place. `start`: as `ownStart` said it; "" where it was not said. */
export function isRunning(pid, start) {
  const status = statusOf(pid);
  if (status?.isZombie || !hasNumber(pid)) return false;
  return start === "" ? pid !== process.pid : start === (status?.start ?? "-");
}

function hasNumber(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}

/** Null where there is no such process, or none of our own numbers in /proc (a namespace without a /proc of its own). */
function statusOf(pid) {
  const stat = linkOf("/proc/self") === `${process.pid}` ? readStamp(`/proc/${pid}/stat`) : null;
  if (stat === null) return null;
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" "); // from the third on: a name may hold anything
  return { isZombie: "ZXx".includes(fields[0]), start: fields[19] };
}

function linkOf(path) {
  try {
    return fs.readlinkSync(path);
  } catch {
    return null;
  }
}
