/** Arms are tried before anything is trained: once for each combination that their runs will open. */
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
 * Arms that are to be trained, and what they were refused for. Trying opens a session for every combination of data,
 * model, loss and optimiser, and makes the first plan of each arm.
 */
export class Preflight {
  readonly #backends: Backends;
  /** The first run of each arm that was not tried yet. */
  readonly #untried = new Map<string, Tried>();
  readonly #count: number;
  readonly #refused = new Map<string, IbatchError>();
  readonly #said = new Set<string>();

  constructor(backends: Backends, runs: readonly Tried[]) {
    this.#backends = backends;
    for (const run of runs) if (!this.#untried.has(run.place.arm)) this.#untried.set(run.place.arm, run);
    this.#count = this.#untried.size;
  }

  /**
   * Tries those that have something of the user's in them. Tells the observer what is imported, and what the backend
   * says of it. What is one run's alone is left to it.
   * @throws IbatchError naming the arm, where all are refused, or what all would meet; Interrupted.
   */
  async tryOwn(): Promise<void> {
    await this.#try([...this.#untried.values()].filter(({ config }) => importsOf(config).length > 0));
  }

  /** Those that are left, once one was refused: whether anything can be trained is to be known. Throws as `tryOwn`. */
  async tryAll(): Promise<void> {
    await this.#try([...this.#untried.values()]);
  }

  /** Why an arm's runs cannot be trained, where that is known. */
  refusal(arm: string): IbatchError | undefined {
    return this.#refused.get(arm);
  }

  async #try(arms: readonly Tried[]): Promise<void> {
    for (const { place } of arms) this.#untried.delete(place.arm);
    for (const together of byCombination(arms)) {
      await survived(this.#backends, together[0], () => this.#tryTogether(together));
    }
    const [first] = this.#refused;
    if (first !== undefined && this.#refused.size === this.#count) throw naming(...first);
    for (const { place, observer } of arms) {
      const refusal = this.#refused.get(place.arm);
      if (refusal !== undefined) this.#tell(observer, `arm ${place.arm} is not trained: ${refusal.message}`);
    }
  }

  async #tryTogether(arms: Together): Promise<void> {
    const [first] = arms;
    const { signal, observer } = first;
    const client = await this.#backends.get();
    const session = await this.#judging(arms, () => Session.open(client, openRequest(first), signal));
    if (session === undefined) return;
    try {
      for (const { reference, file, sha256 } of session.opened.imports) {
        const what = sha256 === null ? "" : ` (sha256 ${sha256.slice(0, 8)})`;
        this.#tell(observer, `imports ${reference} from ${file ?? "a module without a file"}${what}`);
      }
      for (const notice of session.opened.notices) this.#tell(observer, notice);
      for (const arm of arms) await this.#judging([arm], () => new Epochs(arm, session).tryFirstPlan());
    } finally {
      await session.close();
    }
  }

  #tell(observer: Observer, line: string): void {
    if (!this.#said.has(line)) observer.noted?.(line);
    this.#said.add(line);
  }

  /** What this gives; undefined where these arms are refused, or where it is one run's alone, which will say so. */
  async #judging<T>(arms: Together, act: () => Promise<T>): Promise<T | undefined> {
    try {
      return await act();
    } catch (error) {
      if (!(error instanceof IbatchError) || error instanceof Interrupted || error instanceof BackendLost) throw error;
      if (error.kind === "run") return undefined;
      if (error.kind !== "usage") throw naming(arms[0].place.arm, error);
      for (const { place } of arms) this.#refused.set(place.arm, error);
      return undefined;
    }
  }
}

const naming = (arm: string, error: IbatchError) =>
  new IbatchError(error.kind, `arm ${arm}: ${error.message}`, { cause: error });

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
