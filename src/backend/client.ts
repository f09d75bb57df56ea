import { Interrupted, surroundingsError, usageError } from "../errors.js";
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
  /** Gives up the first answer. */
  readonly signal: AbortSignal;
  /** Resolves with the reason when it becomes known that no first answer will come. */
  readonly hopeless?: Promise<Error> | undefined;
}

/** What a backend said of itself when it was greeted. */
export type Introduction = Answer<"hello">["fields"];

/** A backend that answers: requests on both sockets, and a heartbeat that notices when it no longer does. */
export class BackendClient {
  readonly introduction: Introduction;
  readonly #control: Channel;
  readonly #work: Channel;
  readonly #heartbeat: NodeJS.Timeout;
  readonly #endpoint: string;
  #session: string | null = null;
  /** Work answers that had come by the last tick. */
  #answersBefore = 0;

  private constructor(
    endpoint: string,
    control: Channel,
    work: Channel,
    introduction: Introduction,
    heartbeat: Heartbeat,
  ) {
    this.#endpoint = endpoint;
    this.introduction = introduction;
    this.#control = control;
    this.#work = work;
    this.#heartbeat = this.#startHeartbeat(heartbeat);
  }

  /**
   * Greets the backend at this control endpoint.
   * @throws IbatchError when it does not answer within `startSeconds`; Interrupted.
   */
  static async connect(endpoint: string, options: ClientOptions): Promise<BackendClient> {
    checkEndpoint(endpoint);
    if (options.signal.aborted) throw new Interrupted();
    const control = new Channel(endpoint);
    const interrupt = () => control.fail(new Interrupted());
    options.signal.addEventListener("abort", interrupt);
    let greeting = true;
    void options.hopeless?.then((why) => greeting && control.fail(why));
    const timer = setTimeout(
      () =>
        control.fail(surroundingsError(`no answer from ${endpoint} in ${options.startSeconds} s: is a backend there?`)),
      options.startSeconds * 1000,
    );
    try {
      const { fields } = await control.request("hello", { client: "ibatch" }, {});
      const work = new Channel(fields.workEndpoint);
      return new BackendClient(endpoint, control, work, fields, options.heartbeat);
    } catch (error) {
      control.close();
      throw error;
    } finally {
      greeting = false;
      clearTimeout(timer);
      options.signal.removeEventListener("abort", interrupt);
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

  /** Whether it was given up: nothing more can be asked of it. */
  get isLost(): boolean {
    return this.#control.isBroken || this.#work.isBroken;
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
   * no ticks pass, so nobody is given up for it. So are the ticks at which no work reached a backend that answers.
   */
  #startHeartbeat({ everySeconds, limitSeconds }: Heartbeat): NodeJS.Timeout {
    let silentTicks = 0;
    let deafTicks = 0;
    const deafLimit = Math.max(MIN_DEAF_TICKS, limitSeconds / everySeconds);
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
      this.#ping().then(
        ({ deaf }) => {
          waiting = false;
          silentTicks = 0;
          deafTicks = deaf ? deafTicks + 1 : 0;
          if (deafTicks >= deafLimit) this.fail(this.#unreached(deafTicks * everySeconds));
        },
        () => {}, // whoever waits for work is told by `fail`
      );
    };
    return setInterval(tick, everySeconds * 1000).unref();
  }

  /** `deaf`: it has nothing to do although work was sent, and no answer came since the last tick. */
  async #ping(): Promise<{ deaf: boolean }> {
    const pinged = this.control("ping", { session: this.#session });
    const answered = this.#work.answers > this.#answersBefore;
    this.#answersBefore = this.#work.answers;
    if (answered || this.#work.waiting === 0) {
      await pinged;
      return { deaf: false };
    }
    const [{ fields }] = await Promise.all([this.control("status", {}), pinged]);
    return { deaf: fields.state === "idle" && this.#work.answers === this.#answersBefore };
  }

  #unreached(seconds: number): BackendLost {
    return new BackendLost(
      `the backend answers at ${this.#endpoint}, but in ${seconds} s nothing reached its work endpoint ` +
        `${this.introduction.workEndpoint}: a tunnel or container must pass on both, each under its own number`,
    );
  }
}

/** One tick may fall between two chunks. */
const MIN_DEAF_TICKS = 3;

const LOOPBACK = /^tcp:\/\/(127(\.\d{1,3}){3}|localhost|\[::1\]):\d+$/;

function checkEndpoint(endpoint: string): void {
  if (endpoint.startsWith("ipc://") || LOOPBACK.test(endpoint)) return;
  throw usageError(
    `backend ${endpoint}: expected ipc://PATH or tcp://127.0.0.1:PORT; nothing is encrypted yet, so reach a backend ` +
      "elsewhere through an ssh tunnel of both its ports, PORT and PORT+1 under the same numbers",
  );
}
