/** The report of an experiment: `report.html` beside what is on record, or somewhere else. */
import { join } from "node:path";
import { Lock } from "./lock.js";
import { writeWhole } from "./write-file.js";

/**
 * Makes the page and writes it whole as the directory's `report.html`, with others kept out meanwhile. Returns its path.
 * @throws IbatchError when a run is under way there.
 */
export function writeReport(directory: string, make: () => string): string {
  const lock = new Lock(directory);
  try {
    const path = join(directory, "report.html");
    writeWhole(path, make());
    return path;
  } finally {
    lock.release();
  }
}

/** Writes the page somewhere else; nothing in the experiment's directory is touched, so a run may be under way. */
export function writeReportTo(path: string, page: string): string {
  writeWhole(path, page);
  return path;
}
