// Checkpoints as they lie in a run directory.
import { existsSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { listed, read } from "./files.mjs";

/** Of one step: while it is replaced, the newer one is `<step>-again`. */
const NAME = /^\d+(-again)?$/;

/** Those of an arm's run that were finished, the newest first. */
export function finishedIn(out, arm) {
  const paths = begunBy(out, arm).sort((a, b) => stepOf(b) - stepOf(a) || b.length - a.length);
  return paths.filter((path) => existsSync(manifestOf(path)));
}

/** Those of all runs, finished or not. */
export const begunIn = (out) => listed(out).flatMap((arm) => begunBy(out, arm));

function begunBy(out, arm) {
  const directory = join(out, arm, "seed-0", "checkpoint");
  const names = listed(directory).filter((name) => NAME.test(name));
  return names.map((name) => join(directory, name));
}

const manifestOf = (checkpoint) => join(checkpoint, "manifest.json");

export const stepOf = (path) => Number.parseInt(basename(path), 10);

/** The newest one's step; undefined: there is none. */
export function newestStep(out, arm) {
  const [newest] = finishedIn(out, arm);
  return newest && stepOf(newest);
}

/** Whether this arm's run is over, and on record as such. */
export function isDone(out, arm) {
  const text = read(documentOf(out, arm));
  return text !== "" && JSON.parse(text).state === "done";
}

/** Arm → the step that its run must go on from: of each run that is unfinished and has a checkpoint. */
export function resumableIn(out) {
  const unfinished = armsIn(out).filter((arm) => !isDone(out, arm));
  const steps = unfinished.map((arm) => [arm, newestStep(out, arm)]);
  return new Map(steps.filter(([, step]) => step !== undefined));
}

/** The newest checkpoints that were seen while a command ran: a run that is not done keeps them, or has newer ones. */
export class Watch {
  #out;
  #seen;
  #unusable;

  /** `seen`: arm → step, of those that it began with; `unusable`: paths of those that it need not keep. */
  constructor(out, seen, unusable = []) {
    this.#out = out;
    this.#seen = new Map([...seen].filter(([, step]) => step !== undefined));
    this.#unusable = new Set(unusable.map(identityOf).filter(Boolean));
  }

  /** Notes those that are there now. Returns lines that say which are gone, each once. */
  look() {
    const arms = new Set([...this.#seen.keys(), ...armsIn(this.#out)]);
    return [...arms].flatMap((arm) => this.#lookAt(arm));
  }

  #lookAt(arm) {
    const seen = this.#seen.get(arm) ?? -1;
    let newest = this.#newest(arm);
    if (newest < seen) newest = this.#newest(arm); // one that just took another's place is there by now
    this.#seen.set(arm, newest);
    if (newest >= seen || isDone(this.#out, arm)) return [];
    return [`${arm} had a checkpoint at step ${seen}, and later ${newest < 0 ? "none" : `none newer than ${newest}`}`];
  }

  #newest(arm) {
    const path = finishedIn(this.#out, arm).find((one) => !this.#unusable.has(identityOf(one)));
    return path === undefined ? -1 : stepOf(path);
  }
}

/** Tells it from one that is made anew in its place; undefined where it is not, or no more. */
function identityOf(checkpoint) {
  const seen = statSync(manifestOf(checkpoint), { bigint: true, throwIfNoEntry: false });
  return seen && `${seen.ino} ${seen.mtimeNs}`;
}

/** That have a run on record. */
export const armsIn = (out) => listed(out).filter((arm) => existsSync(documentOf(out, arm)));

const documentOf = (out, arm) => join(out, arm, "seed-0", "run.json");
