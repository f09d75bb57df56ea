/** The ZeroMQ door: the only file that imports zeromq. */
import { context, Dealer } from "zeromq";
import { MAX_MESSAGE_BYTES } from "./codec.js";

/** Messages that wait here until they are read; whoever sends more of them is held up. */
const WAITING_MESSAGES = 16;

/** ZeroMQ's own limit is 1,023, and a connection takes three: with two for each backend that was reached at some 170. */
context.maxSockets = 2 ** 14;

/**
 * A DEALER socket as frames in and frames out. zeromq takes one send and one receive at a time, so sends queue up here.
 * Large frames are sent without a copy, after `send` has returned: leave them alone until the answer came.
 */
export class WireSocket {
  readonly #dealer: Dealer;
  #lastSend: Promise<void> = Promise.resolve();

  /** `onDisconnect` is called whenever a connection that stood breaks; zeromq makes another one by itself. */
  constructor(endpoint: string, onDisconnect: () => void) {
    this.#dealer = new Dealer({
      linger: 0,
      maxMessageSize: MAX_MESSAGE_BYTES,
      receiveHighWaterMark: WAITING_MESSAGES,
      ipv6: endpoint.includes("["),
    });
    this.#dealer.events.on("disconnect", onDisconnect);
    this.#dealer.connect(endpoint);
  }

  /** Queues the message; resolves when zeromq has taken it. */
  send(frames: readonly Uint8Array[]): Promise<void> {
    const sent = this.#lastSend.then(() => this.#dealer.send(frames.map(asBuffer)));
    this.#lastSend = sent.catch(() => {});
    return sent;
  }

  /** Every message that arrives, until the socket is closed. One reader at a time. */
  async *messages(): AsyncGenerator<Uint8Array[]> {
    for await (const frames of this.#dealer) yield frames;
  }

  close(): void {
    this.#dealer.close();
  }
}

const asBuffer = (frame: Uint8Array): Buffer => Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength);
