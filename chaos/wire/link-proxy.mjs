// A link between a controller and a backend that can be cut: it relays tcp connections, byte by byte.
import { once } from "node:events";
import { connect, createServer } from "node:net";

/** How a link fails: nothing passes any more, or its connections are closed and no other is let in. */
export const CUTS = ["silent", "closed"];

export class LinkProxy {
  #lines;

  constructor(lines) {
    this.#lines = lines;
  }

  /** Listens at `host` for these ports of a backend that listens at 127.0.0.1. */
  static async start({ host, ports }) {
    return new LinkProxy(await Promise.all(ports.map((port) => Line.listen(host, port))));
  }

  async cut(how) {
    await Promise.all(this.#lines.map((line) => line.cut(how)));
  }

  async mend() {
    await Promise.all(this.#lines.map((line) => line.mend()));
  }

  async close() {
    await this.cut("closed");
  }
}

/** Where the backend listens. */
const BACKEND = "127.0.0.1";

/** One port. */
class Line {
  #host;
  #port;
  #server;
  #isSilent = false;
  /** Both ends of each connection. */
  #sockets = new Set();

  static async listen(host, port) {
    const line = new Line();
    line.#host = host;
    line.#port = port;
    await line.#open();
    return line;
  }

  async #open() {
    this.#server = createServer((near) => this.#relay(near)).listen(this.#port, this.#host);
    await once(this.#server, "listening");
  }

  #relay(near) {
    const far = connect(this.#port, BACKEND);
    for (const [from, to] of [
      [near, far],
      [far, near],
    ]) {
      this.#sockets.add(from);
      from.on("data", (bytes) => to.write(bytes));
      from.on("error", () => {}); // its other end is told by "close"
      from.on("close", () => {
        this.#sockets.delete(from);
        to.destroy();
      });
      if (this.#isSilent) from.pause();
    }
  }

  async cut(how) {
    this.#isSilent = how === "silent";
    if (this.#isSilent) for (const socket of this.#sockets) socket.pause();
    else {
      for (const socket of this.#sockets) socket.destroy();
      if (this.#server.listening) await new Promise((resolve) => this.#server.close(resolve));
    }
  }

  async mend() {
    this.#isSilent = false;
    for (const socket of this.#sockets) socket.resume();
    if (!this.#server.listening) await this.#open();
  }
}
