// Processes by a variable of their environment, which all that they start inherit.
import { existsSync, readdirSync, readFileSync } from "node:fs";

/** Its value is the folder that something was started for. */
export const MARK = "IBATCH_CHAOS";

/** All that live and were started for this folder, or for one below it. */
export const processesIn = (folder) =>
  readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && `${folderOf(name)}/`.startsWith(`${folder}/`))
    .map((name) => ({ pid: Number(name), command: commandOf(name), ...statOf(name) }))
    .filter(isAlive);

/**
 * Sends it to all of them, as a terminal or a scheduler does: to each process group, the controller's last. Returns those
 * that were there.
 */
export function killAll(folder, controller, signal) {
  const all = processesIn(folder);
  const groups = all.filter(({ pid, group }) => pid === group && pid !== controller);
  for (const { pid } of groups) kill(-pid, signal);
  kill(-controller, signal);
  return all;
}

/** The backends that this controller started, and that live. */
export const backendsOf = (controller) =>
  childrenOf(controller).filter((pid) => commandOf(pid).includes("-m py_backend") && isAlive(statOf(pid)));

/** The only one; undefined while there is none. */
export const backendOf = (controller) => backendsOf(controller)[0];

/** Whether a signal stopped it. */
export const isStopped = (pid) => statOf(pid).state === "T";

export function kill(pid, signal) {
  try {
    process.kill(pid, signal);
    return true;
  } catch (error) {
    if (error.code === "ESRCH") return false;
    throw error;
  }
}

/** Not every kernel lists them; looking at all processes takes some milliseconds. */
const LISTS_CHILDREN = existsSync(`/proc/${process.pid}/task/${process.pid}/children`);

function childrenOf(parent) {
  if (LISTS_CHILDREN) return read(parent, `task/${parent}/children`).split(" ").filter(Boolean).map(Number);
  const numbers = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return numbers.map(Number).filter((pid) => statOf(pid).parent === parent);
}

const folderOf = (pid) =>
  read(pid, "environ")
    .split("\0")
    .find((variable) => variable.startsWith(`${MARK}=`))
    ?.slice(MARK.length + 1) ?? "";

const commandOf = (pid) => read(pid, "cmdline").replaceAll("\0", " ").trim();

function statOf(pid) {
  const text = read(pid, "stat");
  const [state, parent, group] = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return { state: state || undefined, parent: Number(parent), group: Number(group) };
}

const isAlive = ({ state }) => state !== undefined && !"ZX".includes(state);

/** Nothing of a process that ended meanwhile, or is another user's. */
function read(pid, file) {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "latin1");
  } catch {
    return "";
  }
}
