/** The ZeroMQ door: the only file that imports zeromq. */
import { context, Dealer } from "zeromq";
import { MAX_MESSAGE_BYTES } from "./codec.js";
import type { ClientKeys } from "./credentials.js";
import type { HandshakeFailure } from "./refusal.js";
import { uninterrupted } from "./uninterrupted.js";

/** What CURVE adds to a frame. */
const SEALED_FRAME_BYTES = 33;

/** What becomes of a socket's connections. */
export interface Watch {
  /** A connection that stood broke; zeromq makes another one by itself. */
  onDisconnect(): void;
  /** There will be none. */
  onRefused(failure: HandshakeFailure): void;
}

/** Handshakes that are broken off before it is believed that none will do: a backend may be ending, or a link break. */
const HANDSHAKES = 5;

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

  constructor(endpoint: string, keys: ClientKeys | undefined, watch: Watch) {
    this.#dealer = new Dealer({
      linger: 0,
      maxMessageSize: MAX_MESSAGE_BYTES + (keys === undefined ? 0 : SEALED_FRAME_BYTES),
      receiveHighWaterMark: WAITING_MESSAGES,
      ipv6: endpoint.includes("["),
      ...(keys && {
        curveServerKey: keys.serverPublicKey,
        curvePublicKey: keys.publicKey,
        curveSecretKey: keys.secretKey,
      }),
    });
    this.#follow(keys !== undefined, watch);
    uninterrupted(() => this.#dealer.connect(endpoint));
  }

  #follow(isEncrypted: boolean, { onDisconnect, onRefused }: Watch): void {
    const events = uninterrupted(() => this.#dealer.events);
    let stands = false;
    let left = HANDSHAKES;
    events.on("handshake", () => {
      stands = true;
      left = Number.POSITIVE_INFINITY; // the keys are right: whatever breaks off now is another matter
    });
    events.on("disconnect", () => {
      if (stands) onDisconnect();
      stands = false;
    });
    if (!isEncrypted) return;
    const brokenOff = () => {
      left -= 1;
      if (left === 0) onRefused("broken off");
    };
    events.on("handshake:error:auth", () => onRefused("unknown key"));
    events.on("handshake:error:protocol", brokenOff);
    events.on("handshake:error:other", brokenOff);
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
