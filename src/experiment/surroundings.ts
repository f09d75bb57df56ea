/** What a run's bits depend on beside config and seed; runs that differ in it are not put into one mean. */

import type { Chosen } from "../config/checker.js";
import { IbatchError, usageError } from "../errors.js";
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

/**
 * @throws IbatchError when a run of this arm here and now would stand beside one on other data, or in surroundings
 * that give other bits: it names the difference.
 */
export function refuseOtherSurroundings(run: MadeFrom & Pick<MadeIn, "arm">, kept: Iterable<MadeIn>): void {
  const all = [...kept];
  refuseBeside(all, run.surroundings, (made) => otherPlace(made, run), OtherSurroundings);
  refuseBeside(all, run.surroundings, (made) => otherModel(made, run));
}

/** @throws IbatchError where a file of the user's code is another one than what these were made with. */
export function refuseOtherCode(now: Surroundings, kept: Iterable<MadeIn>): void {
  refuseBeside(kept, now, (made) => otherCode(made, now));
}

/** What differs, as said of the run that is there, and how to make it equal. */
interface Difference {
  readonly what: string;
  readonly remedy: string;
}

/** What keeps a run from standing beside the first of these that it differs from; undefined where it may. */
export function otherBeside(run: Pick<MadeIn, "arm"> & MadeFrom, kept: Iterable<MadeIn>) {
  return inTheWay(kept, run.surroundings, (made) => otherPlace(made, run) ?? otherModel(made, run))[0];
}

/** Another machine, or another backend on this one, may be as those runs were made in. */
export class OtherSurroundings extends IbatchError {
  constructor(message: string) {
    super("usage", message);
  }
}

/**
 * Results first: whoever removes what goes on is not to find then that a result is in the way, too. A result is
 * nothing to be removed for another one.
 */
function refuseBeside(
  kept: Iterable<MadeIn>,
  now: Surroundings,
  differenceOf: DifferenceOf,
  Refusal?: typeof OtherSurroundings,
): void {
  const [first, another] = inTheWay(kept, now, differenceOf);
  if (first === undefined) return;
  const { directory, goesOn, what, remedy } = first;
  const anew = goesOn && another === undefined ? `remove ${directory} to train that run anew, ` : "";
  const message = `${directory} ${what}${remedy}, ${anew}or name another directory with --out`;
  throw Refusal === undefined ? usageError(message) : new Refusal(message);
}

type DifferenceOf = (made: MadeIn) => Difference | undefined;

function inTheWay(kept: Iterable<MadeIn>, now: Surroundings, differenceOf: DifferenceOf): (MadeIn & Difference)[] {
  const beside = [...kept].filter((made) => mendedBy(made, now) === undefined);
  return [...beside.filter(({ goesOn }) => !goesOn), ...beside.filter(({ goesOn }) => goesOn)].flatMap((made) => {
    const difference = differenceOf(made);
    return difference === undefined ? [] : [{ ...made, ...difference }];
  });
}

const otherPlace = (made: MadeIn, run: MadeFrom & Pick<MadeIn, "arm">): Difference | undefined =>
  otherData(made, run.surroundings) ?? otherCode(made, run.surroundings) ?? otherBits(made, run);

function otherData({ surroundings: then }: MadeIn, now: Surroundings): Difference | undefined {
  if (then.dataSha256 === now.dataSha256) return undefined; // of thousands of runs each looks at all others
  if (hashValue(then.dataset) !== hashValue(asRecorded(now.dataset))) return undefined;
  const [before, here] = [then, now].map(({ dataSha256 }) => dataSha256.slice(0, 8));
  return {
    what: `was trained on other data (SHA-256 ${before}, now ${here})`,
    remedy: ": name the data it was made with by --data",
  };
}

function otherCode({ surroundings: then }: MadeIn, now: Surroundings): Difference | undefined {
  const changed = changedCode(then, now);
  if (changed === undefined) return undefined;
  return { what: `was made with other code of yours: ${changed}`, remedy: "; bring back what it was" };
}

function otherBits(made: MadeIn, { arm, surroundings: now }: MadeFrom & Pick<MadeIn, "arm">): Difference | undefined {
  const [difference] = differences(made.surroundings, now, made.arm === arm);
  if (difference === undefined) return undefined;
  return {
    what: `was made in surroundings that give other bits (${difference})`,
    remedy: ": run where it was made (see its run.json; backend.device, backend.threads, backend.fast)",
  };
}

function otherModel(made: MadeIn, run: MadeFrom): Difference | undefined {
  const difference = otherStart(made, run);
  if (difference === undefined) return undefined;
  return {
    what: `has the same model by its config, and started otherwise: ${difference}`,
    remedy:
      ". Equal seeds must start from equal weights: draw them from torch's default generator alone, say in `args` " +
      "what differs",
  };
}

/** What a backend says of itself before a session is opened there. */
export type Machine = Pick<Surroundings, "device" | "deviceName" | "threads" | "versions">;

/** How a backend would give other bits than that one, in words; undefined where it would not, as far as is seen without data. */
export function otherMachine(then: Machine, now: Machine): string | undefined {
  const [difference] = differing(machineText(then), machineText(now), then, now);
  return difference && `it would give other bits than the other runs here (${difference})`;
}

/** What differs, each as "threads 8, now 4". Settings depend on the arm: they are compared within one arm alone. */
const differences = (then: Surroundings, now: Surroundings, sameArm: boolean): string[] =>
  differing(bitsDependOn(then, sameArm), bitsDependOn(now, sameArm), then, now);

type Texts = Readonly<Record<string, string>>;

function differing(before: Texts, after: Texts, then: Machine, now: Machine): string[] {
  const asked = [...new Set([...Object.keys(after), ...Object.keys(before)])].flatMap((name) => {
    const [was, is] = [before, after].map((texts) => texts[name] ?? JSON.stringify(BEFORE_THEM[name]));
    return was === is ? [] : [`${name} ${was}, now ${is}`];
  });
  return [...asked, ...otherLibraries(then, now)];
}

/** Versions that only a GPU has, and that older records do not name: they differ where both say so. */
const otherLibraries = ({ versions: then }: Machine, { versions: now }: Machine): string[] =>
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
  const settings = Object.entries(withSettings ? made.settings : {}).filter(
    ([name, value]) => !(name in BEFORE_THEM) || value !== BEFORE_THEM[name],
  );
  return {
    ...machineText(made),
    ...Object.fromEntries(settings.map(([name, value]) => [name, JSON.stringify(value)])),
  };
}

/** Settings that older records do not name, as all of those were made. */
const BEFORE_THEM: Readonly<Record<string, unknown>> = { fusedUpdates: false, recordedSteps: false };

const machineText = ({ device, deviceName, threads, versions }: Machine): Record<string, string> => ({
  device: device.replace(/:\d+$/, ""), // which of several equal GPUs changes no bit
  "device name": deviceName,
  threads: String(threads),
  torch: versions.torch,
});
