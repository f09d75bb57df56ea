/** The files that a run's directory is made of. What else lies there is the user's: it is left alone. */
import { readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { CHECKSUMS } from "./checksums.js";
import { isDirectory, isThere } from "./read-file.js";
import { PARTIAL, writing } from "./write-file.js";

export const RUN_DOCUMENT = "run.json";
export const METRICS = "metrics.jsonl";
export const TIMINGS = "timings.jsonl";
/** Labels that were trained on, of every sample, where they are not the dataset's: u32 [n]. */
export const TRAINED_LABELS = "trained-labels.u32";
/** Loss of every sample of the training set by the final weights, in evaluation mode, where it was asked for: f32 [n]. */
export const FINAL_LOSSES = "final-losses.f32";
export const TEST_PREDICTIONS = "test-predictions.u32";
export const IMAGES = { document: "images.json", pixels: "images.u8" } as const;

/** An epoch as the names of its files have it: 0007. */
const numbered = (epoch: number): string => String(epoch).padStart(4, "0");

/** Of the epoch's training passes, or (`scored-`) of the scoring pass before the epoch. */
export type SignalName = `${"" | "scored-"}${"loss" | "margin" | "entropy" | "el2n"}`;

/** Paths below a run's directory. */
export const orderFile = (epoch: number, ending: "json" | "u32" | "weights.f32"): string =>
  `orders/${numbered(epoch)}.${ending}`;
export const signalFile = (name: SignalName, epoch: number): string => `signals/${name}/${numbered(epoch)}.f32`;
export const predictionFile = (epoch: number): string => `signals/prediction/${numbered(epoch)}.u32`;

/** Whether a directory is a run's, whatever it is called. */
export const holdsRun = (directory: string): boolean => isThere(join(directory, RUN_DOCUMENT));

const OWN: readonly RegExp[] = [
  /^(metrics|timings)\.jsonl$/,
  /^orders\/\d+\.(u32|json|weights\.f32)$/,
  /^signals\/[^/]+\/\d+\.(f32|u32)$/,
  /^(test-predictions|trained-labels)\.u32$/,
  /^final-losses\.f32$/,
  /^images\.(u8|json)$/,
  /^SHA256SUMS$/,
];

/** Beside `run.json`, everything that runs write: paths below the run's directory, also of files that are half written. */
function recordedFiles(run: string): string[] {
  const [top, orders, signals] = [listed(run, ""), listed(run, "orders"), listed(run, "signals")];
  return [...top, ...orders, ...signals.flatMap((signal) => listed(run, signal))].filter(isOwn);
}

/** Whether a path below a run's directory is a file that runs write, also one that is half written. */
export const isRunFile = (path: string): boolean => path === RUN_DOCUMENT || isOwn(path);

function isOwn(path: string): boolean {
  const whole = path.endsWith(PARTIAL) ? path.slice(0, -PARTIAL.length) : path;
  return OWN.some((pattern) => pattern.test(whole)) || path === `${RUN_DOCUMENT}${PARTIAL}`;
}

const listed = (run: string, below: string): string[] =>
  isDirectory(join(run, below)) ? readdirSync(join(run, below)).map((name) => (below ? `${below}/${name}` : name)) : [];

/** All that a finished run consists of, but for the list of it. */
export const wholeFiles = (run: string): string[] => [
  RUN_DOCUMENT,
  ...recordedFiles(run).filter((path) => path !== CHECKSUMS && !path.endsWith(PARTIAL)),
];

/** Whether nothing was recorded yet: a run begins with empty files, and whatever is half written was never there. */
export const hasOnlyBegun = (run: string): boolean =>
  recordedFiles(run).every((path) => path.endsWith(PARTIAL) || isEmptyFile(join(run, path)));

/** False of what cannot be looked at, as a link that leads nowhere: something was recorded there. */
function isEmptyFile(path: string): boolean {
  try {
    return statSync(path).size === 0;
  } catch {
    return false;
  }
}

/** Where a run stood: what it recorded after that is done again. */
export interface RunPoint {
  /** The epoch under way, or the next one. */
  readonly epoch: number;
  /** Whether it is under way: a scoring pass before it is on record. */
  readonly isUnderWay: boolean;
  /** Whether its plan is on record, and not decided batch by batch. */
  readonly isPlanned: boolean;
}

/** Removes what a run recorded of epochs after this point, and the list of its files. What grows is the caller's. */
export function clearAfter(run: string, { epoch, isUnderWay, isPlanned }: RunPoint): void {
  const firstOf = (directory: string) => {
    const isKept = directory === "orders" ? isPlanned : directory.startsWith("signals/scored-") && isUnderWay;
    return isKept ? epoch + 1 : epoch;
  };
  const isLater = (path: string) => {
    const [, directory, number] = /^(orders|signals\/[^/]+)\/(\d+)\./.exec(path) ?? [];
    if (directory === undefined) return path === CHECKSUMS;
    return Number(number) >= firstOf(directory);
  };
  for (const path of recordedFiles(run)) {
    if (isLater(path) || path.endsWith(PARTIAL)) writing(join(run, path), () => rmSync(join(run, path)));
  }
}

/** Removes what a run recorded, so that it can be done anew; `run.json` stays. */
export function clearRun(run: string): void {
  for (const path of recordedFiles(run)) writing(join(run, path), () => rmSync(join(run, path)));
}
