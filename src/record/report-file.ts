/** The report of an experiment: `report.html` beside what is on record, or somewhere else. */
import { join } from "node:path";
import { exclusively } from "./exclusively.js";
import { writeWhole } from "./write-file.js";

/** Writes the page whole as the directory's `report.html`, also while runs are under way there. Returns its path. */
export function writeReport(directory: string, page: string): string {
  const path = join(directory, "report.html");
  exclusively(directory, () => writeWhole(path, page));
  return path;
}

/** Writes the page somewhere else; nothing in the experiment's directory is touched, so a run may be under way. */
export function writeReportTo(path: string, page: string): string {
  writeWhole(path, page);
  return path;
}
