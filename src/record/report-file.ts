/** The report of an experiment: a look at what is there, and `report.html` beside it. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { Lock } from "./lock.js";
import { writeWhole } from "./whole-file.js";

/** Every run's directory, arms and seeds in sequence: `<arm>/seed-<n>/`. */
export function listRuns(directory: string): { arm: string; seed: number }[] {
  return directoriesIn(directory)
    .flatMap((arm) =>
      directoriesIn(join(directory, arm)).flatMap((name) => {
        const seed = /^seed-(\d+)$/.exec(name)?.[1];
        return seed === undefined ? [] : [{ arm, seed: Number(seed) }];
      }),
    )
    .sort((a, b) => (a.arm === b.arm ? a.seed - b.seed : a.arm < b.arm ? -1 : 1));
}

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

const directoriesIn = (path: string): string[] =>
  readdirSync(path, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name);
