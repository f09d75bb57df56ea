// Peers that take up connections and do nothing of use: some say nothing, some break off their handshake, some send a byte of it now
// and then, some ask to be let in without a key. Whoever is cut comes again.
//   node chaos/fuzz/crowd.mjs COUNT PORT...   until standard input closes; says how many stand once all have been tried
import { connect } from "node:net";
import { setTimeout } from "node:timers/promises";

const greeting = (mechanism) =>
  Buffer.concat([
    Buffer.from(`\xff${"\0".repeat(8)}\x7f\x03\0${mechanism.padEnd(20, "\0")}`, "latin1"),
    Buffer.alloc(32),
  ]);
const READY = Buffer.from("\x04\x1c\x05READY\x0bSocket-Type\0\0\0\x06DEALER", "latin1");
/** The head of CURVE's first command, of 200 bytes. */
const HELLO = Buffer.from("\x04\xc8\x05HELLO\x01\0", "latin1");
const BYTE_MS = 200;
const AGAIN_MS = 1000;

const KINDS = [
  () => {}, // silent
  (socket) => socket.write(greeting("CURVE").subarray(0, 20)),
  (socket) => socket.write(Buffer.concat([greeting("NULL"), READY])),
  (socket) => {
    socket.write(Buffer.concat([greeting("CURVE"), HELLO]));
    const slowly = setInterval(() => socket.write("x"), BYTE_MS);
    socket.once("close", () => clearInterval(slowly));
  },
];

export class Crowd {
  /** How often one came again after it was cut. */
  again = 0;
  #sockets = new Set();
  #isEnded = false;

  /** Settles once each stands. */
  static async gather(ports, count) {
    const crowd = new Crowd();
    await Promise.all(
      Array.from({ length: count }, (_, at) => crowd.#join(ports[at % ports.length], KINDS[at % KINDS.length])),
    );
    return crowd;
  }

  get standing() {
    return this.#sockets.size;
  }

  end() {
    this.#isEnded = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  #join(port, behave) {
    return new Promise((resolve) => {
      const socket = connect(port, "127.0.0.1", () => {
        this.#sockets.add(socket);
        behave(socket);
        resolve();
      });
      socket.on("error", () => {}); // its close follows
      socket.on("data", () => {});
      socket.once("close", async () => {
        this.#sockets.delete(socket);
        await setTimeout(AGAIN_MS);
        if (this.#isEnded) return;
        this.again += 1;
        await this.#join(port, behave);
      });
    });
  }
}

if (process.argv[1] === import.meta.filename) {
  const crowd = await Crowd.gather(process.argv.slice(3).map(Number), Number(process.argv[2]));
  process.stdout.write(`${crowd.standing}\n`);
  process.stdin.resume().on("end", () => {
    process.stdout.write(`${crowd.again}\n`);
    crowd.end();
  });
}
