/** What a user's code writes leaves its thread as it is written, whatever the thread does next. */

import { PassThrough, Writable } from "node:stream";
import { type MessagePort, receiveMessageOnPort } from "node:worker_threads";

const STREAMS = ["stdout", "stderr"] as const;
type Stream = (typeof STREAMS)[number];

interface Written {
  readonly stream: Stream;
  readonly bytes: Uint8Array;
}

/** Bytes of a stream that leave the thread. */
const MOST_BYTES = 2 ** 22;
export const AND_MORE = "… and more, which is not told";

/**
 * In the thread: puts streams of our own in the place of Node's, which hold back all but the first of what is written
 * at once until the thread is idle, and one that loops, or is ended, never is.
 */
export function sendOutput(port: MessagePort): void {
  for (const stream of STREAMS) Object.defineProperty(process, stream, { value: sending(port, stream) });
}

function sending(port: MessagePort, stream: Stream): Writable {
  let left = MOST_BYTES;
  const send = (bytes: Uint8Array) => port.postMessage({ stream, bytes } satisfies Written);
  return new Writable({
    write(chunk: Buffer, _, done) {
      if (left > 0) send(chunk.subarray(0, left));
      if (left > 0 && chunk.length > left) send(Buffer.from(`\n${AND_MORE}\n`));
      left = Math.max(0, left - chunk.length);
      done();
    },
  });
}

/** In the controller: what a thread sends. */
export class Output {
  readonly stdout = new PassThrough();
  readonly stderr = new PassThrough();
  readonly #port: MessagePort;

  constructor(port: MessagePort) {
    this.#port = port;
    port.on("message", (written: Written) => this.#take(written));
    port.unref();
  }

  /** The thread has ended: nothing comes after what it has sent. */
  end(): void {
    for (let next = receiveMessageOnPort(this.#port); next !== undefined; next = receiveMessageOnPort(this.#port)) {
      this.#take(next.message);
    }
    for (const stream of STREAMS) this[stream].end();
  }

  #take({ stream, bytes }: Written): void {
    if (this[stream].writable) this[stream].write(bytes);
  }
}
