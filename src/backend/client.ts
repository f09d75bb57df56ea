import { Interrupted, surroundingsError, usageError } from "../errors.js";
import { settlesWithin } from "../process/deadline.js";
import { type Answer, Channel } from "./channel.js";
import type { Credentials } from "./credentials.js";
import { addressOf, controlEndpointOf, isTcp, workEndpointOf } from "./endpoint.js";
import { BackendError, BackendLost } from "./errors.js";
import type { ControlRequest, FieldsOf, MessageArrays, WorkRequest } from "./messages.js";

export interface Heartbeat {
  /** Seconds between two pings. */
  readonly everySeconds: number;
  /** Seconds of silence after which the backend is given up. */
  readonly limitSeconds: number;
}

/** When one that works without getting on is given up. */
export interface Stall {
  /** Seconds in which it neither answered nor handed a batch over; null: no limit. */
  readonly seconds: number | null;
  /** Has it given up with this error, in the end. */
  giveUp(error: BackendLost): void;
}

export interface ClientOptions {
  /** What it proves itself with, at both sockets; absent: nothing, as at an ipc socket. */
  readonly credentials?: Credentials | undefined;
  readonly heartbeat: Heartbeat;
  /** Absent: no limit. */
  readonly stall?: Stall;
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
  /** Who answers: a backend that was restarted is another one. */
  #instance: string;
  /** Whether a ping is out. */
  #pinging = false;
  /** Work answers that had come by the last tick. */
  #answersBefore = 0;

  private constructor(
    endpoint: string,
    control: Channel,
    work: Channel,
    introduction: Introduction,
    heartbeat: Heartbeat,
    stall: Stall | undefined,
  ) {
    this.#endpoint = endpoint;
    this.introduction = introduction;
    this.#instance = introduction.instance;
    this.#control = control;
    this.#work = work;
    this.#heartbeat = this.#startHeartbeat(heartbeat, stall);
  }

  /**
   * Greets the backend at this control endpoint.
   * @throws IbatchError when it does not answer within `startSeconds`; Interrupted.
   */
  static async connect(endpoint: string, options: ClientOptions): Promise<BackendClient> {
    addressOf(endpoint); // refuses what is none
    if (options.signal.aborted) throw new Interrupted();
    const broke = { control: () => {}, work: () => {} };
    const control = new Channel(endpoint, options.credentials, () => broke.control());
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
      const work = new Channel(workEndpointOf(endpoint, fields.workEndpoint), options.credentials, () => broke.work());
      const client = new BackendClient(endpoint, control, work, fields, options.heartbeat, options.stall);
      broke.control = () => client.#controlBroke();
      broke.work = () => void client.#workBroke();
      return client;
    } catch (error) {
      control.close();
      throw isOfWork(error) ? thatIsWork(endpoint) : error;
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

  /** Has the backend end: it does so for who names the session that is open, or where none is. */
  async shutdown(): Promise<void> {
    await this.control("shutdown", { session: this.#session });
  }

  /** Answers that came and were nobody's, ever: what was asked of another session, or answered before. */
  get dropped(): number {
    return this.#control.dropped + this.#work.dropped;
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
   * no ticks pass, so nobody is given up for it. So are the ticks at which no work reached a backend that answers, and
   * those at which it works and does not get on.
   */
  #startHeartbeat({ everySeconds, limitSeconds }: Heartbeat, stall: Stall | undefined): NodeJS.Timeout {
    let silentTicks = 0;
    let deafTicks = 0;
    let workingTicks = 0;
    const stallSeconds = stall?.seconds ?? Number.POSITIVE_INFINITY;
    const deafLimit = Math.max(MIN_DEAF_TICKS, limitSeconds / everySeconds);
    const tick = () => {
      if (this.#pinging) {
        silentTicks += 1;
        if (silentTicks * everySeconds >= limitSeconds) {
          this.fail(new BackendLost(`the backend was silent for ${limitSeconds} s`));
        }
        return;
      }
      this.#pinging = true;
      this.#ping().then(
        ({ deaf, secondsWithoutProgress }) => {
          this.#pinging = false;
          silentTicks = 0;
          deafTicks = deaf ? deafTicks + 1 : 0;
          if (deafTicks >= deafLimit) this.fail(this.#unreached(deafTicks * everySeconds));
          workingTicks = secondsWithoutProgress > 0 ? workingTicks + 1 : 0;
          if (Math.min(workingTicks * everySeconds, secondsWithoutProgress) < stallSeconds) return;
          clearInterval(this.#heartbeat);
          stall?.giveUp(new BackendLost(`the backend made no progress for ${stallSeconds} s (backend.stallSeconds)`));
        },
        () => {}, // whoever waits for work is told by `fail`
      );
    };
    return setInterval(tick, everySeconds * 1000).unref();
  }

  async #ping(): Promise<Tick> {
    const pinged = this.control("ping", { session: this.#session });
    const answered = this.#work.answers > this.#answersBefore;
    this.#answersBefore = this.#work.answers;
    if (answered || this.#work.waiting === 0) {
      this.#heard((await pinged).fields.instance);
      return { deaf: false, secondsWithoutProgress: 0 };
    }
    const [{ fields }, pong] = await Promise.all([this.control("status", { session: this.#session }), pinged]);
    this.#heard(pong.fields.instance);
    const answeredMeanwhile = this.#work.answers !== this.#answersBefore;
    return {
      deaf: fields.state === "idle" && !answeredMeanwhile,
      secondsWithoutProgress: fields.state === "working" && !answeredMeanwhile ? fields.secondsSinceProgress : 0,
    };
  }

  /** Another instance than before has no session of ours; between two runs that is no matter. */
  #heard(instance: string): void {
    if (instance !== this.#instance && this.#session !== null) this.fail(this.#restarted());
    this.#instance = instance;
  }

  /** The ping that was out is lost: the next tick asks again. */
  #controlBroke(): void {
    this.#pinging = false;
  }

  /** What was under way will not be answered over another connection: finds out what became of the backend. */
  async #workBroke(): Promise<void> {
    const underWay = this.#work.waiting > 0;
    const before = this.#instance;
    if (!underWay && this.#session === null) return;
    const now = await this.#whoAnswers();
    if (this.isLost) return;
    if (now === undefined) {
      this.fail(new BackendLost(`the backend at ${this.#endpoint} is gone: its connection broke, and nothing answers`));
    } else if (now !== before) this.fail(this.#restarted());
    else if (underWay) {
      this.fail(new BackendLost(`the connection to the backend at ${this.#endpoint} broke while it was at work`));
    }
  }

  /** The instance behind the control endpoint; undefined where none answers in time. */
  async #whoAnswers(): Promise<string | undefined> {
    for (let tries = 0; tries < PINGS_AFTER_BREAK && !this.isLost; tries++) {
      let instance: string | undefined;
      const asked = this.control("ping", { session: null }).then(({ fields }) => {
        instance = fields.instance;
      });
      await settlesWithin(SECONDS_FOR_A_PING, asked);
      if (instance !== undefined) return instance;
    }
    return undefined;
  }

  #restarted(): BackendLost {
    return new BackendLost(
      `the backend at ${this.#endpoint} was restarted: another instance answers there, which does not have the session`,
    );
  }

  #unreached(seconds: number): BackendLost {
    const dropped = this.#work.droppedOfWaiting;
    if (dropped > 0) {
      const came = dropped === 1 ? "1 answer came, and was" : `${dropped} answers came, and were`;
      return new BackendLost(
        `the backend at ${this.#endpoint} has nothing to do, and work was not answered in ${seconds} s: ${came} of another ` +
          `session or step than was asked for; see what passes ${this.introduction.workEndpoint} on and mixes messages up`,
      );
    }
    return new BackendLost(
      `the backend answers at ${this.#endpoint}, but in ${seconds} s nothing reached its work endpoint ` +
        `${this.introduction.workEndpoint}: a tunnel or container must pass on both, each under its own number`,
    );
  }
}

/** What was heard at a tick. */
interface Tick {
  /** It has nothing to do although work was sent, and no answer came since the last tick. */
  readonly deaf: boolean;
  /** By its own clock, since work began or a batch was handed over; 0 where it does not work, or answered. */
  readonly secondsWithoutProgress: number;
}

/** After a connection broke: a ping may go down with it, so several are sent. */
const PINGS_AFTER_BREAK = 10;
const SECONDS_FOR_A_PING = 0.5;

/** One tick may fall between two chunks. */
const MIN_DEAF_TICKS = 3;

/** Whether a greeting came to where work is taken. */
const isOfWork = (error: unknown): boolean =>
  error instanceof BackendError && error.code === "unknown_type" && error.details.socket === "work";

function thatIsWork(endpoint: string): Error {
  const [kind, where] = isTcp(endpoint) ? ["port", ", whose number is one less"] : ["socket", ""];
  return usageError(
    `backend ${endpoint}: that is its work ${kind}: name its control ${kind}${where}: ${controlEndpointOf(endpoint)} ` +
      "(the backend says both when it starts)",
  );
}
