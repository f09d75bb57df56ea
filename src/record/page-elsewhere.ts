/** The report of an experiment, somewhere else than beside what is on record. */
import { writeWhole } from "./write-file.js";

/** Nothing in the experiment's directory is touched, so a run may be under way. Returns the path. */
export function writePageElsewhere(path: string, page: string): string {
  writeWhole(path, page);
  return path;
}
