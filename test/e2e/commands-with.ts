/** Processes of one command alone, whatever else runs on the machine. */
import { readdirSync, readFileSync } from "node:fs";

/** The command lines of processes that were started with this variable in their environment. */
export const commandsWith = (name: string, value: string): string[] =>
  readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry))
    .filter((pid) => read(pid, "environ").split("\0").includes(`${name}=${value}`))
    .map((pid) => read(pid, "cmdline").replaceAll("\0", " ").trim());

/** Nothing of a process that ended meanwhile, or is another user's. */
function read(pid: string, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch {
    return "";
  }
}
