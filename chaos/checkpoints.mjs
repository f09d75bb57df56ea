// Checkpoints as they lie in a run directory.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";

/** Those of an arm's run that were finished, the newest first. */
export function finishedIn(out, arm) {
  const directory = join(out, arm, "seed-0", "checkpoint");
  if (!existsSync(directory)) return [];
  const steps = readdirSync(directory).map(Number);
  const paths = steps.sort((a, b) => b - a).map((step) => join(directory, String(step)));
  return paths.filter((path) => existsSync(join(path, "manifest.json")));
}

/** The newest one's step; undefined: there is none. */
export function newestStep(out, arm) {
  const [newest] = finishedIn(out, arm);
  return newest && Number(basename(newest));
}

/** Arm → the step that its run must go on from: of each run that is unfinished and has a checkpoint. */
export function resumableIn(out) {
  const arms = existsSync(out) ? readdirSync(out).filter((arm) => existsSync(documentOf(out, arm))) : [];
  const unfinished = arms.filter((arm) => JSON.parse(readFileSync(documentOf(out, arm), "utf8")).state !== "done");
  const steps = unfinished.map((arm) => [arm, newestStep(out, arm)]);
  return new Map(steps.filter(([, step]) => step !== undefined));
}

const documentOf = (out, arm) => join(out, arm, "seed-0", "run.json");
