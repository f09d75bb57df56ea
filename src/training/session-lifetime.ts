/** How long a session is asked, and waited for: the signal stops it, its answers tell how, and it is closed once. */

import type { BackendClient } from "../backend/client.js";
import { BackendError, BackendLost } from "../backend/errors.js";
import type { FieldsOf, MessageArrays, WorkRequest } from "../backend/messages.js";
import { Interrupted, unlessInterrupted } from "../errors.js";

/** What a run needs of a backend. */
export type WorkClient = Pick<BackendClient, "introduction" | "work" | "control" | "keepAlive" | "fail" | "dropped">;

/** What is under way ends at a batch, which may take a while; a backend that does not even then is given up. */
const CLOSE_SECONDS = 30;
/** The same once the user has stopped it: nobody waits for what it gives. */
const CLOSE_SECONDS_INTERRUPTED = 2;

export interface Stopping {
  /** Nothing new is begun once it says so, and what is under way ends at the next batch. */
  readonly stop: AbortSignal;
  /** Seconds from then until nothing is waited for. */
  readonly grace: number;
}

export class SessionLifetime {
  /** Another one once a state was loaded. */
  #id: string;
  #cancelled = false;
  readonly #client: WorkClient;
  readonly #stop: AbortSignal;
  /** Nothing is waited for. */
  readonly #giveUp: AbortSignal;
  /** Aborts as long after the stop as is waited for what is under way. */
  readonly #late = new AbortController();
  readonly #stopped: () => void;
  #isClosed = false;

  constructor(client: WorkClient, id: string, { stop, grace }: Stopping) {
    this.#client = client;
    this.#id = id;
    this.#stop = stop;
    this.#giveUp = grace === 0 ? stop : this.#late.signal;
    this.#stopped = () => {
      this.cancel();
      setTimeout(() => this.#late.abort(), 1000 * grace).unref();
    };
    client.keepAlive(id);
    // Not with the option `signal`: of listeners with that, Node loses all but one where it collects garbage.
    stop.addEventListener("abort", this.#stopped);
  }

  /** By which the backend knows it. */
  get id(): string {
    return this.#id;
  }

  /** Aborts when nothing of it is waited for any more. */
  get givenUp(): AbortSignal {
    return this.#giveUp;
  }

  get isCancelled(): boolean {
    return this.#cancelled;
  }

  /** The backend knows it by another id from now on. */
  renamed(id: string): void {
    this.#id = id;
    this.#client.keepAlive(id);
  }

  /** @throws Interrupted once it was stopped. */
  refuseWhenStopped(): void {
    if (this.#stop.aborted) throw new Interrupted();
  }

  /** Nobody waits for the answer any more once the signal came: a user's code may never give one. */
  async ask<T extends Exclude<WorkRequest, "open" | "close">>(
    underWay: string,
    type: T,
    fields: FieldsOf<T>,
    arrays: MessageArrays<T>,
  ) {
    if (this.#giveUp.aborted) throw new Interrupted();
    try {
      return await unlessInterrupted(this.#giveUp, this.#client.work(type, fields, arrays));
    } catch (error) {
      const cancelled = error instanceof BackendError && error.code === "cancelled";
      throw cancelled ? this.whyEnded(underWay) : lostWhereGone(error, underWay);
    }
  }

  /** Why work ended before its end. */
  whyEnded(underWay: string): Interrupted | BackendLost {
    if (this.#cancelled) return new Interrupted();
    const how = "the backend stopped the work, though not asked to from here: somebody else cancelled it, or ends it";
    return new BackendLost(how, [], underWay);
  }

  /** Stops what is under way at the next batch, as when the user stops the experiment. */
  cancel(): void {
    this.#cancelled = true;
    this.#client.control("cancel", { session: this.#id }).catch(() => {}); // work in flight tells it
  }

  /**
   * Lets the backend forget the session; one that is gone has forgotten it already. Gives it up where it does not answer.
   * Once only: a second call does nothing.
   */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#stop.removeEventListener("abort", this.#stopped);
    this.#client.keepAlive(null);
    const seconds = this.#stop.aborted ? CLOSE_SECONDS_INTERRUPTED : CLOSE_SECONDS;
    const late = () => this.#client.fail(new BackendLost(`the backend did not close its session in ${seconds} s`));
    const timer = setTimeout(late, seconds * 1000);
    try {
      await this.#client.work("close", { session: this.#id }, {});
    } catch (error) {
      const forgotten = error instanceof BackendError && error.code === "unknown_session";
      if (!forgotten && !(lostWhereGone(error, "closing") instanceof BackendLost)) throw error;
    } finally {
      clearTimeout(timer);
    }
  }
}

/** A backend that is gone or going, with what it was asked for; any other error as it is. */
export function lostWhereGone(error: unknown, underWay: string): unknown {
  if (error instanceof BackendLost) return error.during(underWay);
  if (!(error instanceof BackendError)) return error;
  if (error.code === "device_broken") return new BackendLost(`the backend ends: ${error.message}`, [], underWay);
  if (error.code !== "shutting_down") return error;
  return new BackendLost(`the backend ends, though not asked to from here: ${error.message}`, [], underWay);
}
