/** What the user brings is tried before anything is trained: once for each combination that the runs will open. */
import { BackendLost } from "../backend/errors.js";
import { IbatchError, Interrupted } from "../errors.js";
import { hashValue } from "../record/hash.js";
import type { Backends } from "./backends.js";
import { Epochs } from "./epochs.js";
import type { Observer } from "./observer.js";
import { importsOf, openRequest } from "./open-request.js";
import type { RunInputs } from "./run.js";
import { Session } from "./session.js";

/** A run that is to be done, as far as it can be tried. */
export type Tried = Omit<RunInputs, "client" | "document" | "kept" | "writeDataset">;

/**
 * Opens a session for every combination of data, model, loss and optimiser that has something of the user's in it, and
 * makes the first plan of each arm. Tells the observer what is imported, and what the backend says of it.
 * @throws IbatchError naming the arm, where something does not fit; Interrupted. What is one run's alone is left to it.
 */
export async function preflight(backends: Backends, runs: readonly Tried[]): Promise<void> {
  const said = new Set<string>();
  for (const arms of byCombination(firstOfEachArm(runs))) {
    const tell: Tell = (observer, line) => {
      if (!said.has(line)) observer.noted?.(line);
      said.add(line);
    };
    await survived(backends, arms[0], () => tryTogether(backends, arms, tell));
  }
}

/** A backend that was lost meanwhile is replaced: the arm's runs will say so themselves. */
async function survived(backends: Backends, { place, observer }: Tried, act: () => Promise<void>): Promise<void> {
  try {
    await act();
  } catch (error) {
    if (!(error instanceof BackendLost)) throw error;
    await backends.discard();
    observer.noted?.(`arm ${place.arm}, when it was tried: ${error.message}`);
  }
}

function firstOfEachArm(runs: readonly Tried[]): Tried[] {
  const own = runs.filter(({ config }) => importsOf(config).length > 0);
  return own.filter((run, at) => own.findIndex(({ place }) => place.arm === run.place.arm) === at);
}

/** Arms that open the same but for the seed. */
function byCombination(runs: readonly Tried[]): Together[] {
  const groups = new Map<string, [Tried, ...Tried[]]>();
  for (const run of runs) {
    const key = hashValue(openRequest({ ...run, seed: 0 }));
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [run]);
    else group.push(run);
  }
  return [...groups.values()];
}

type Together = readonly [Tried, ...Tried[]];
type Tell = (observer: Observer, line: string) => void;

async function tryTogether(backends: Backends, arms: Together, tell: Tell): Promise<void> {
  const [first] = arms;
  const { signal, observer, place } = first;
  const client = await backends.get();
  const session = await naming(place.arm, () => Session.open(client, openRequest(first), signal));
  if (session === undefined) return;
  try {
    for (const { reference, file, sha256 } of session.opened.imports) {
      const what = sha256 === null ? "" : ` (sha256 ${sha256.slice(0, 8)})`;
      tell(observer, `imports ${reference} from ${file ?? "a module without a file"}${what}`);
    }
    for (const notice of session.opened.notices) tell(observer, notice);
    for (const arm of arms) await naming(arm.place.arm, () => new Epochs(arm, session).tryFirstPlan());
  } finally {
    await session.close();
  }
}

/** What this gives; undefined where it fails in a way that is one run's alone, which will say so itself. */
async function naming<T>(arm: string, act: () => Promise<T>): Promise<T | undefined> {
  try {
    return await act();
  } catch (error) {
    if (!(error instanceof IbatchError) || error instanceof Interrupted || error instanceof BackendLost) throw error;
    if (error.kind === "run") return undefined;
    throw new IbatchError(error.kind, `arm ${arm}: ${error.message}`, { cause: error });
  }
}
