/** What a run's bits depend on beside config and seed; runs that differ in it are not put into one mean. */

import type { Chosen } from "../config/checker.js";
import { type IbatchError, usageError } from "../errors.js";
import { hashValue } from "../record/hash.js";
import type { Surroundings } from "../record/run-document.js";
import { asRecorded } from "../record/write-file.js";
import type { Session } from "../training/session.js";
import { mendedBy } from "./going-on.js";
import { changedCode, type MadeFrom, otherStart } from "./other-code.js";

export type { Surroundings };

export function surroundingsOf(session: Session, dataset: Chosen): Surroundings {
  const { versions, platform, device, deviceName, threads } = session.opened;
  const { dataSha256, testCount, initialWeightsSha256, parameterCount, settings, imports, code } = session.opened;
  return {
    device,
    deviceName,
    threads,
    versions: { ...versions, node: process.versions.node },
    platform,
    dataset: { name: dataset.name, options: dataset.options },
    dataSha256,
    testCount,
    initialWeightsSha256,
    parameterCount,
    settings,
    ...(imports.length > 0 && { imports }),
    ...(code.length > 0 && { code }),
  };
}

/** A run that came to its end, or goes on from a checkpoint, and in what surroundings. */
export interface MadeIn extends MadeFrom {
  readonly arm: string;
  readonly directory: string;
  /** It did not come to its end. */
  readonly goesOn: boolean;
  /** Its own training failed: with other code it begins anew, and then nothing is made beside it. */
  readonly failedByItself?: true | undefined;
}

/** By directory. */
export type KeptRuns = ReadonlyMap<string, MadeIn>;

/**
 * @throws IbatchError when a run of this arm here and now would stand beside one on other data, or in surroundings
 * that give other bits: it names the difference.
 */
export function refuseOtherSurroundings(
  { arm, ...made }: MadeFrom & Pick<MadeIn, "arm">,
  kept: readonly MadeIn[],
): void {
  const now = made.surroundings;
  for (const before of kept) {
    if (mendedBy(before, now) !== undefined) continue;
    const then = before.surroundings;
    const sameDataset = hashValue(then.dataset) === hashValue(asRecorded(now.dataset));
    if (sameDataset && then.dataSha256 !== now.dataSha256) throw otherData(before, then, now);
    refuseOtherCode(now, [before]);
    const [difference] = differences(then, now, before.arm === arm);
    if (difference !== undefined) throw otherBits(before, difference);
    const start = otherStart(before, made);
    if (start !== undefined) throw otherModel(before, start);
  }
}

/** @throws IbatchError where a file of the user's code is another one than what these were made with. */
export function refuseOtherCode(now: Surroundings, kept: readonly Made[]): void {
  for (const made of kept) {
    if (mendedBy(made, now) !== undefined) continue;
    const changed = changedCode(made.surroundings, now);
    if (changed !== undefined) throw otherCode(made, changed);
  }
}

type Made = Pick<MadeIn, "directory" | "surroundings" | "goesOn" | "failedByItself">;

function otherData(made: Made, then: Surroundings, now: Surroundings): IbatchError {
  return usageError(
    `${made.directory} was trained on other data (SHA-256 ${then.dataSha256.slice(0, 8)}, now ` +
      `${now.dataSha256.slice(0, 8)}): name the data it was made with by --data, ${orElse(made)}`,
  );
}

function otherCode(made: Made, changed: string): IbatchError {
  return usageError(
    `${made.directory} was made with other code of yours: ${changed}; bring back what it was, ${orElse(made)}`,
  );
}

function otherModel(made: Made, difference: string): IbatchError {
  return usageError(
    `${made.directory} has the same model by its config, and started otherwise: ${difference}. Equal seeds must start ` +
      "from equal weights: draw them from torch's default generator alone, say in `args` what differs, " +
      orElse(made),
  );
}

function otherBits(made: Made, difference: string): IbatchError {
  return usageError(
    `${made.directory} was made in surroundings that give other bits (${difference}): ` +
      `run where it was made (see its run.json; backend.device, backend.threads), ${orElse(made)}`,
  );
}

/** A result is nothing to be removed for another one. */
const orElse = ({ directory, goesOn }: Made): string =>
  goesOn
    ? `remove ${directory} to train that run anew, or name another directory with --out`
    : "or name another directory with --out";

/** What differs, each as "threads 8, now 4". Settings depend on the arm: they are compared within one arm alone. */
function differences(then: Surroundings, now: Surroundings, sameArm: boolean): string[] {
  const before = bitsDependOn(then, sameArm);
  const asked = Object.entries(bitsDependOn(now, sameArm)).flatMap(([name, value]) =>
    before[name] === value ? [] : [`${name} ${before[name]}, now ${value}`],
  );
  return [...asked, ...otherLibraries(then, now)];
}

/** Versions that only a GPU has, and that older records do not name: they differ where both say so. */
const otherLibraries = ({ versions: then }: Surroundings, { versions: now }: Surroundings): string[] =>
  GPU_LIBRARIES.filter((name) => then[name] !== undefined && now[name] !== undefined && then[name] !== now[name]).map(
    (name) => `${name} ${then[name]}, now ${now[name]}`,
  );

const GPU_LIBRARIES = ["cuda", "cudnn", "driver"];

/** A hash of what it takes to give the same bits within one arm and seed; code of the user's is compared by its files. */
export function bitsSha256(made: Surroundings): string {
  const { dataSha256, initialWeightsSha256, parameterCount } = made;
  return hashValue({ ...bitsDependOn(made, true), dataSha256, initialWeightsSha256, parameterCount });
}

function bitsDependOn(made: Surroundings, withSettings: boolean): Record<string, string> {
  const settings = Object.entries(withSettings ? made.settings : {});
  return {
    device: made.device.replace(/:\d+$/, ""), // which of several equal GPUs changes no bit
    "device name": made.deviceName,
    threads: String(made.threads),
    torch: made.versions.torch,
    ...Object.fromEntries(settings.map(([name, value]) => [name, JSON.stringify(value)])),
  };
}
