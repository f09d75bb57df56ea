/** The files that a run's directory is made of. What else lies there is the user's: it is left alone. */
import { readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { isDirectory } from "./directory.js";
import { writing } from "./disk.js";
import { PARTIAL } from "./whole-file.js";

export const RUN_DOCUMENT = "run.json";

const OWN: readonly RegExp[] = [
  /^(metrics|timings)\.jsonl$/,
  /^orders\/\d+\.(u32|json|weights\.f32)$/,
  /^signals\/[^/]+\/\d+\.(f32|u32)$/,
  /^test-predictions\.u32$/,
  /^images\.(u8|json)$/,
  /^SHA256SUMS$/,
];

/** Beside `run.json`, everything that runs write: paths below the run's directory, also of files that are half written. */
export function recordedFiles(run: string): string[] {
  const [top, orders, signals] = [listed(run, ""), listed(run, "orders"), listed(run, "signals")];
  return [...top, ...orders, ...signals.flatMap((signal) => listed(run, signal))].filter(isOwn);
}

function isOwn(path: string): boolean {
  const whole = path.endsWith(PARTIAL) ? path.slice(0, -PARTIAL.length) : path;
  return OWN.some((pattern) => pattern.test(whole)) || path === `${RUN_DOCUMENT}${PARTIAL}`;
}

const listed = (run: string, below: string): string[] =>
  isDirectory(join(run, below)) ? readdirSync(join(run, below)).map((name) => (below ? `${below}/${name}` : name)) : [];

/** Whether nothing was recorded yet: a run begins with empty files, and whatever is half written was never there. */
export const hasOnlyBegun = (run: string): boolean =>
  recordedFiles(run).every((path) => path.endsWith(PARTIAL) || statSync(join(run, path)).size === 0);

/** Removes what a run recorded, so that it can be done anew; `run.json` stays. */
export function clearRun(run: string): void {
  for (const path of recordedFiles(run)) writing(join(run, path), () => rmSync(join(run, path)));
}
