import { setPriority } from "node:os";

const NICENESS = 10;

/** The process gets what the others leave of the cores; one that has ended already needs nothing. */
export function giveWay(pid) {
  try {
    setPriority(pid, NICENESS);
  } catch (error) {
    if (error.info?.code !== "ESRCH") throw error;
  }
}
