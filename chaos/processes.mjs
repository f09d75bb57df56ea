// Processes by a variable of their environment, which all that they start inherit.
import { readdirSync, readFileSync } from "node:fs";

export const MARK = "IBATCH_CHAOS";

/** All that live with this mark. */
export function processesWith(mark) {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && read(name, "environ").split("\0").includes(`${MARK}=${mark}`))
    .map((name) => ({
      pid: Number(name),
      command: read(name, "cmdline").replaceAll("\0", " ").trim(),
      ...statOf(name),
    }))
    .filter(({ state }) => state !== undefined && !"ZX".includes(state));
}

/** The backend that this controller started; undefined while there is none. */
export const backendOf = (mark, controller) =>
  processesWith(mark).find(({ parent, command }) => parent === controller && command.includes("-m py_backend"))?.pid;

export function kill(pid, signal) {
  try {
    process.kill(pid, signal);
    return true;
  } catch (error) {
    if (error.code === "ESRCH") return false;
    throw error;
  }
}

function statOf(pid) {
  const text = read(pid, "stat");
  const [state, parent] = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return { state: state || undefined, parent: Number(parent) };
}

/** Nothing of a process that ended meanwhile, or is another user's. */
function read(pid, file) {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "latin1");
  } catch {
    return "";
  }
}
