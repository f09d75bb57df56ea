import { constants, getPriority, setPriority } from "node:os";

const NICER = 10;

/** The process gets what this one and the others leave of the cores; one that has ended already needs nothing. */
export function giveWay(pid) {
  try {
    setPriority(pid, Math.min(constants.priority.PRIORITY_LOW, getPriority() + NICER));
  } catch (error) {
    if (error.info?.code !== "ESRCH") throw error;
  }
}
