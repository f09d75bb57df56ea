import { asError } from "../errors.js";
import { arrivingMemory } from "./arriving-memory.js";
import { decode, encode } from "./codec.js";
import { type Credentials, clientKeys, NO_CREDENTIALS } from "./credentials.js";
import { BackendError, BackendLost, isErrorCode } from "./errors.js";
import type { AnswerTo, ControlRequest, FieldsOf, Message, MessageArrays, WorkRequest } from "./messages.js";
import { type HandshakeFailure, refusal } from "./refusal.js";
import { WireSocket } from "./socket.js";

type Request = ControlRequest | WorkRequest;

type Fields = Readonly<Record<string, unknown>>;

/** An answer: its fields and arrays. */
export interface Answer<T extends Request> {
  readonly fields: FieldsOf<AnswerTo<T>>;
  readonly arrays: MessageArrays<AnswerTo<T>>;
}

interface Waiting {
  readonly type: Request;
  /** What was asked. */
  readonly fields: Fields;
  /** Answers to it that came and were of another session or step. */
  dropped: number;
  resolve(message: Message): void;
  reject(error: Error): void;
}

/** One socket: requests out, answers matched to them by id. Answers may come in any order. */
export class Channel {
  readonly #socket: WireSocket;
  readonly #waiting = new Map<number, Waiting>();
  #lastId = 0;
  #answers = 0;
  #dropped = 0;
  #failure: Error | undefined;
  readonly #arriving: ReturnType<typeof arrivingMemory.watch> | undefined;

  /** `onDisconnect` is called whenever the connection breaks: what waits then may never be answered. */
  constructor(
    endpoint: string,
    credentials: Credentials = NO_CREDENTIALS,
    onDisconnect: () => void = () => {},
    memory = arrivingMemory,
  ) {
    const onRefused = (failure: HandshakeFailure) => this.fail(refusal(endpoint, credentials, failure));
    this.#socket = new WireSocket(endpoint, clientKeys(credentials), { onDisconnect, onRefused });
    // At the other end of another endpoint is our own process, or one of this user's.
    if (endpoint.startsWith("tcp:")) this.#arriving = memory.watch((bytes) => this.#cut(tooMuch(endpoint, bytes)));
    void this.#receive();
  }

  /**
   * Sends a request. The arrays must not change until the answer came.
   * @throws BackendError when the backend refuses; whatever `fail` was called with when it is lost.
   */
  async request<T extends Request>(type: T, fields: FieldsOf<T>, arrays: MessageArrays<T>): Promise<Answer<T>> {
    if (this.#failure !== undefined) throw this.#failure;
    this.#lastId += 1;
    const id = this.#lastId;
    const frames = encode(id, type, fields, arrays);
    const answered = new Promise<Message>((resolve, reject) => {
      this.#waiting.set(id, { type, fields, dropped: 0, resolve, reject });
    });
    this.#socket.send(frames).catch((error: unknown) => this.#settle(id, (waiting) => waiting.reject(asError(error))));
    const { fields: answerFields, arrays: answerArrays } = await answered;
    return { fields: answerFields, arrays: answerArrays } as Answer<T>; // #receive checked the type
  }

  /** Requests without an answer yet. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** Messages that came, ever. */
  get answers(): number {
    return this.#answers;
  }

  /** Answers that came and were nobody's: to what was answered already, or never asked, or of another session or step. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Those of them that came to requests which still wait: of another session or step than these. */
  get droppedOfWaiting(): number {
    return [...this.#waiting.values()].reduce((sum, { dropped }) => sum + dropped, 0);
  }

  get isBroken(): boolean {
    return this.#failure !== undefined;
  }

  /** Rejects all that waits and all that will be asked, with the first error given. */
  fail(error: Error): void {
    this.#failure ??= error;
    for (const id of [...this.#waiting.keys()]) this.#settle(id, (waiting) => waiting.reject(this.#failure ?? error));
  }

  close(): void {
    this.#cut(new Error("the connection to the backend was closed"));
  }

  /** What comes later is not taken any more. */
  #cut(error: Error): void {
    this.fail(error);
    this.#arriving?.end();
    this.#socket.close();
  }

  async #receive(): Promise<void> {
    try {
      for await (const frames of this.#socket.messages()) {
        this.#arriving?.delivered();
        this.#deliver(decode(frames));
      }
    } catch (error) {
      this.#cut(asError(error));
    }
  }

  #deliver(message: Message): void {
    if (isError(message) && message.id === 0) {
      this.#answers += 1;
      this.fail(toError(message.fields));
      return;
    }
    const waiting = this.#waiting.get(message.id);
    if (waiting === undefined || isOfAnother(waiting, message)) {
      this.#dropped += 1;
      if (waiting !== undefined) waiting.dropped += 1;
      return;
    }
    this.#answers += 1;
    const expected = `${waiting.type}_ok`;
    this.#settle(message.id, ({ resolve, reject }) => {
      if (isError(message)) reject(toError(message.fields));
      else if (message.type === expected) resolve(message);
      else reject(new BackendError("unknown_type", `${message.type} came where ${expected} was due`));
    });
  }

  #settle(id: number, how: (waiting: Waiting) => void): void {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return; // given up meanwhile
    this.#waiting.delete(id);
    how(waiting);
  }
}

const tooMuch = (endpoint: string, bytes: number): BackendLost =>
  new BackendLost(
    `what comes from ${endpoint} makes no message, and took ${(bytes / 2 ** 30).toFixed(1)} GiB of memory here: its connection ` +
      "was cut; see whether a backend of the same version listens there",
  );

/** What answers say of what was asked. */
const PLACE = ["session", "firstStep", "step", "part"];

/** Whether a message of the due type is about another session or step than was asked for. */
function isOfAnother({ type, fields: asked }: Waiting, message: Message): boolean {
  if (message.type !== `${type}_ok`) return false;
  const said: Fields = message.fields;
  const names = type === "load" ? PLACE.slice(1) : PLACE; // a state that was loaded is a session of its own
  return names.some((name) => Object.hasOwn(asked, name) && Object.hasOwn(said, name) && asked[name] !== said[name]);
}

const isError = (message: Message): message is Message<"error"> => message.type === "error";

function toError({ code, message, details }: FieldsOf<"error">): BackendError {
  if (!isErrorCode(code)) {
    return new BackendError("bad_field", `the backend answered with an unknown error code: ${code} (${message})`);
  }
  return new BackendError(code, code === "internal" ? `${message} (${TRACEBACK})` : message, details);
}

const TRACEBACK =
  "a bug of the backend: report it with the traceback, which is in log.txt where `ibatch run` started the backend, " +
  "else on the backend's standard error";
