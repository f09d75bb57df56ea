import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Router } from "zeromq";
import { decode, encode } from "../../src/backend/codec.js";
import type { FieldsOf, Message, MessageArrays, MessageType } from "../../src/backend/messages.js";

/** A request as a fake backend sees it, and ways to answer it or not. */
export interface Asked {
  readonly message: Message;
  answer<T extends MessageType>(type: T, fields: FieldsOf<T>, arrays?: MessageArrays<T>): Promise<void>;
  answerFrames(frames: readonly Uint8Array[]): Promise<void>;
}

/** A ROUTER socket that answers as the test says. */
export class FakeSocket {
  readonly endpoint: string;
  readonly #router = new Router({ linger: 0 });
  readonly #arrived: Asked[] = [];
  readonly #wanted: ((asked: Asked) => void)[] = [];
  #handler: ((asked: Asked) => void) | undefined;
  #isEnding = false;
  readonly #connected = new Promise<void>((resolve) => this.#router.events.on("handshake", () => resolve()));

  private constructor(endpoint: string) {
    this.endpoint = endpoint;
  }

  static async bind(endpoint: string): Promise<FakeSocket> {
    const socket = new FakeSocket(endpoint);
    await socket.#router.bind(endpoint);
    socket.#receive().catch((error: unknown) => {
      if (!socket.#isEnding) throw error; // nothing can be received while it unbinds
    });
    return socket;
  }

  /** The next request that came, or will come. */
  next(): Promise<Asked> {
    const asked = this.#arrived.shift();
    return asked !== undefined ? Promise.resolve(asked) : new Promise((resolve) => this.#wanted.push(resolve));
  }

  /** Settles when a peer has connected, so that what it sends from now on does not go down with an older connection. */
  connected(): Promise<void> {
    return this.#connected;
  }

  /** Answers every request from now on this way. */
  always(handler: (asked: Asked) => void): void {
    this.#handler = handler;
    for (const asked of this.#arrived.splice(0)) handler(asked);
  }

  close(): void {
    this.#router.close();
  }

  /** Breaks every connection; when this settles another one may listen in its place. */
  async end(): Promise<void> {
    this.#isEnding = true;
    await this.#router.unbind(this.endpoint);
    this.#router.close();
  }

  async #receive(): Promise<void> {
    for await (const [sender, ...frames] of this.#router) {
      const message = decode(frames);
      const answerFrames = async (parts: readonly Uint8Array[]) => {
        await this.#router.send([sender, ...parts.map((part) => Buffer.from(part))]);
      };
      const asked: Asked = {
        message,
        answerFrames,
        answer: (type, fields, arrays) =>
          answerFrames(encode(message.id, type, fields, (arrays ?? {}) as MessageArrays<typeof type>)),
      };
      const wanted = this.#handler ?? this.#wanted.shift();
      if (wanted === undefined) this.#arrived.push(asked);
      else wanted(asked);
    }
  }
}

/** Both sockets of a backend, in a private directory. */
export class FakeBackend {
  private constructor(
    public control: FakeSocket,
    public work: FakeSocket,
    private readonly directory: string,
  ) {}

  static async start(): Promise<FakeBackend> {
    const directory = mkdtempSync(join(tmpdir(), "ibatch-test-"));
    const control = await FakeSocket.bind(`ipc://${join(directory, "control")}`);
    const work = await FakeSocket.bind(`ipc://${join(directory, "work")}`);
    return new FakeBackend(control, work, directory);
  }

  /** Answers `hello`, which must come next. */
  async greet(): Promise<void> {
    const hello = await this.control.next();
    await hello.answer("hello_ok", introduction(this.work.endpoint));
  }

  /** As when its process is killed. */
  async end(): Promise<void> {
    await Promise.all([this.control.end(), this.work.end()]);
  }

  /** Another one listens in its place. */
  async restart(): Promise<void> {
    await this.end();
    this.control = await FakeSocket.bind(this.control.endpoint);
    this.work = await FakeSocket.bind(this.work.endpoint);
  }

  stop(): void {
    this.control.close();
    this.work.close();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

export const introduction = (workEndpoint: string, instance = "one"): FieldsOf<"hello_ok"> => ({
  instance,
  backendVersion: "0",
  versions: {},
  platform: "",
  device: "cpu",
  deviceName: "",
  threads: 1,
  precisions: { float32: "" },
  workEndpoint,
  limits: { headerBytes: 1, messageBytes: 1, frames: 1, sessions: 1 },
  catalogue: { models: [], datasets: [], optimizers: [] },
});
