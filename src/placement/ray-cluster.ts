/** A Ray cluster that holds backends, as this process sees it. */
import { type Credentials, makeKeyPair } from "../backend/credentials.js";
import { Interrupted, surroundingsError, unlessInterrupted, usageError } from "../errors.js";
import { settlesWithin } from "../process/deadline.js";
import type { Demand, NewsOfOne, Order } from "./ray-messages.js";
import { RayProgram, type RayProgramOptions } from "./ray-program.js";

/** A backend on some node, until it is lost or released. */
export interface PlacedBackend {
  readonly endpoint: string;
  /** Of keys that were made for it alone: it lets in nobody else, and nobody else is it. */
  readonly credentials: Credentials;
  readonly node: string;
  /** Resolves with how it was lost, if it was. */
  readonly lost: Promise<string>;
  /** Settles when it is gone. */
  release(): Promise<void>;
}

export interface Placing {
  readonly demand: Demand;
  readonly order: Omit<Order, "clientKey">;
  /** Gives up waiting. */
  readonly signal: AbortSignal;
  /** Told what is waited for, once no node has room. */
  readonly onWaiting?: ((what: string) => void) | undefined;
  /** Gets each line that the backend writes; must not throw. */
  readonly onOutput?: ((line: string) => void) | undefined;
}

/** A node may go while a backend starts on it; one after another that does so is no accident. */
const TRIES = 3;
/** More than the backend is given to end by itself (py_ray/holder.py). */
const RELEASE_SECONDS = 25;

export class RayCluster {
  readonly #options: RayProgramOptions;
  #program: Promise<RayProgram> | undefined;

  constructor(options: RayProgramOptions) {
    this.#options = options;
  }

  /**
   * Has the cluster hold a backend, and waits for room as long as the cluster may have some.
   * @throws IbatchError where no node could ever hold it, or it cannot start; Interrupted.
   */
  async place(placing: Placing): Promise<PlacedBackend> {
    let lost = "";
    for (let tried = 0; tried < TRIES; tried++) {
      if (placing.signal.aborted) throw new Interrupted();
      const placed = await placeOn(await this.#connected(), placing);
      if (typeof placed === "object") return placed;
      lost = placed;
    }
    throw surroundingsError(
      `no backend lasts on the cluster until it listens: ${TRIES} were lost, the last one so: ${lost}`,
    );
  }

  /** Leaves the cluster, which ends whatever it still holds for us. */
  async stop(): Promise<void> {
    const program = this.#program;
    this.#program = undefined;
    await (await program?.catch(() => undefined))?.stop();
  }

  /** The program that speaks to Ray: another one where it ended. */
  async #connected(): Promise<RayProgram> {
    const before = this.#program;
    const program = await before;
    if (program !== undefined && !program.hasEnded) return program;
    // Of several that wait for it the first one starts another.
    if (this.#program === before) this.#program = this.#start();
    return await this.#connected();
  }

  #start(): Promise<RayProgram> {
    const starting = RayProgram.start(this.#options);
    starting.catch(() => {
      if (this.#program === starting) this.#program = undefined;
    });
    return starting;
  }
}

/** The backend; or how it was lost before there was one. */
async function placeOn(program: RayProgram, placing: Placing): Promise<PlacedBackend | string> {
  const { demand, order, signal } = placing;
  const client = makeKeyPair();
  const became = new Became(placing);
  const id = program.place(demand, { ...order, clientKey: client.publicKey }, became.tell);
  void program.ended.then((why) => became.tell({ type: "lost", id, why }));
  const release = async () => {
    program.release(id);
    await settlesWithin(RELEASE_SECONDS, Promise.race([became.released, program.ended]));
  };
  try {
    const placed = await unlessInterrupted(signal, Promise.race([became.placed, became.lost]));
    if (typeof placed === "string") return placed;
    const keys = { ...client, serverPublicKey: placed.key };
    const credentials: Credentials = { kind: "curve", keys, from: "its placement" };
    return { endpoint: placed.control, credentials, node: placed.node, lost: became.lost, release };
  } catch (error) {
    if (error instanceof Interrupted) await release(); // what was refused is gone
    throw error;
  }
}

type Placed = Extract<NewsOfOne, { readonly type: "placed" }>;

/** What becomes of one backend, as it is told. */
class Became {
  /** Rejects where it is refused. */
  readonly placed: Promise<Placed>;
  readonly lost: Promise<string>;
  readonly released: Promise<void>;
  tell: (news: NewsOfOne) => void = () => {};

  constructor({ onWaiting, onOutput }: Placing) {
    let lose: (why: string) => void = () => {};
    let release = () => {};
    this.lost = new Promise((resolve) => {
      lose = resolve;
    });
    this.released = new Promise((resolve) => {
      release = resolve;
    });
    this.placed = new Promise((resolve, reject) => {
      this.tell = (news) => {
        if (news.type === "placed") resolve(news);
        else if (news.type === "refused") reject((news.usage ? usageError : surroundingsError)(news.why));
        else if (news.type === "lost") lose(news.why);
        else if (news.type === "released") release();
        else if (news.type === "waiting") onWaiting?.(news.what);
        else onOutput?.(news.line);
      };
    });
  }
}
