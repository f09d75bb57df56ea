import { surroundingsError, usageError } from "../errors.js";
import { type Answer, Channel } from "./channel.js";
import { BackendLost } from "./errors.js";
import type { ControlRequest, FieldsOf, MessageArrays, WorkRequest } from "./messages.js";

export interface Heartbeat {
  /** Seconds between two pings. */
  readonly everySeconds: number;
  /** Seconds of silence after which the backend is given up. */
  readonly limitSeconds: number;
}

export interface ClientOptions {
  readonly heartbeat: Heartbeat;
  /** Seconds that the first answer may take. */
  readonly startSeconds: number;
}

/** What a backend said of itself when it was greeted. */
export type Introduction = Answer<"hello">["fields"];

/** A backend that answers: requests on both sockets, and a heartbeat that notices when it no longer does. */
export class BackendClient {
  readonly introduction: Introduction;
  readonly #control: Channel;
  readonly #work: Channel;
  readonly #heartbeat: NodeJS.Timeout;
  #session: string | null = null;

  private constructor(control: Channel, work: Channel, introduction: Introduction, heartbeat: Heartbeat) {
    this.introduction = introduction;
    this.#control = control;
    this.#work = work;
    this.#heartbeat = this.#startHeartbeat(heartbeat);
  }

  /**
   * Greets the backend at this control endpoint.
   * @throws IbatchError when it does not answer within `startSeconds`.
   */
  static async connect(endpoint: string, options: ClientOptions): Promise<BackendClient> {
    checkEndpoint(endpoint);
    const control = new Channel(endpoint);
    const timer = setTimeout(
      () =>
        control.fail(surroundingsError(`no answer from ${endpoint} in ${options.startSeconds} s: is a backend there?`)),
      options.startSeconds * 1000,
    );
    try {
      const { fields } = await control.request("hello", { client: "ibatch" }, {});
      const work = new Channel(fields.workEndpoint);
      return new BackendClient(control, work, fields, options.heartbeat);
    } catch (error) {
      control.close();
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Asks for work; see docs/PROTOCOL.md for what each type does. */
  async work<T extends WorkRequest>(type: T, fields: FieldsOf<T>, arrays: MessageArrays<T>): Promise<Answer<T>> {
    return await this.#work.request(type, fields, arrays);
  }

  async control<T extends ControlRequest>(type: T, fields: FieldsOf<T>): Promise<Answer<T>> {
    return await this.#control.request(type, fields, {} as MessageArrays<T>); // control messages have no arrays
  }

  /** Names the session that pings keep alive. */
  keepAlive(session: string | null): void {
    this.#session = session;
  }

  /** Gives the backend up: everything that waits is rejected with this error. */
  fail(error: Error): void {
    clearInterval(this.#heartbeat);
    this.#control.fail(error);
    this.#work.fail(error);
  }

  close(): void {
    clearInterval(this.#heartbeat);
    this.#control.close();
    this.#work.close();
  }

  /**
   * Silence is counted in ticks of this timer, not in clock time: while this process sleeps (a closed laptop, Ctrl-Z)
   * no ticks pass, so nobody is given up for it.
   */
  #startHeartbeat({ everySeconds, limitSeconds }: Heartbeat): NodeJS.Timeout {
    let silentTicks = 0;
    let waiting = false;
    const tick = () => {
      if (waiting) {
        silentTicks += 1;
        if (silentTicks * everySeconds >= limitSeconds) {
          this.fail(new BackendLost(`the backend was silent for ${limitSeconds} s`));
        }
        return;
      }
      waiting = true;
      this.control("ping", { session: this.#session }).then(
        () => {
          waiting = false;
          silentTicks = 0;
        },
        () => {}, // whoever waits for work is told by `fail`
      );
    };
    return setInterval(tick, everySeconds * 1000).unref();
  }
}

const LOOPBACK = /^tcp:\/\/(127(\.\d{1,3}){3}|localhost|\[::1\]):\d+$/;

function checkEndpoint(endpoint: string): void {
  if (endpoint.startsWith("ipc://") || LOOPBACK.test(endpoint)) return;
  throw usageError(
    `backend ${endpoint}: expected ipc://PATH or tcp://127.0.0.1:PORT; nothing is encrypted yet, so reach a backend ` +
      "elsewhere through an ssh tunnel",
  );
}
