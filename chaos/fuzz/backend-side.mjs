// Sends messages of chance to both sockets of a real backend: each is answered, and by no bug of ours.
import { setTimeout } from "node:timers/promises";
import { Dealer } from "zeromq";
import { decode } from "../../dist/backend/codec.js";
import { messageAt } from "./messages.mjs";

const UNDER_WAY = 16;
const MOST_WAIT_MS = 120_000;
/** What is well-formed and not to be obeyed here: it would end the run beside, or the backend, or what is looked at. */
const ORDERS = ["open", "shutdown", "close"];
const MOST_FAULTS = 20;

/**
 * Sends those from `first` on, alternately to control and work. Returns lines that say what is wrong.
 * @param {{ control: string, work: string, seed: number, first: number, count: number, session?: string, onSent?: (done: number) => void }} how
 *   `session`: one that is open, which some messages name.
 */
export async function fuzzBackend({ control, work, seed, first, count, session, onSent = () => {} }) {
  const peers = [new Peer("control", control), new Peer("work", work)];
  for (
    let number = first;
    number < first + count && peers.every(({ faults }) => faults.length < MOST_FAULTS);
    number++
  ) {
    const { frames } = messageAt(seed, "backend", number, session);
    if (!isOrder(frames)) await peers[number % peers.length].send(number, frames);
    onSent(number + 1 - first);
  }
  await Promise.all(peers.map((peer) => peer.end()));
  return peers.flatMap(({ faults }) => faults);
}

/** What the backend would take is what we take; it is stricter in some. */
function isOrder(frames) {
  try {
    return ORDERS.includes(decode(frames).type);
  } catch {
    return false;
  }
}

class Peer {
  faults = [];
  #name;
  #dealer = new Dealer({ linger: 0 });
  /** Numbers of messages that wait for their answers, which come in the same order. */
  #waiting = [];
  #isEnded = false;

  constructor(name, endpoint) {
    this.#name = name;
    this.#dealer.connect(endpoint);
    this.#receive();
  }

  async send(number, frames) {
    await this.#until(UNDER_WAY - 1);
    this.#waiting.push(number);
    await this.#dealer.send(frames);
  }

  async end() {
    await this.#until(0);
    this.#isEnded = true;
    this.#dealer.close();
  }

  async #until(most) {
    for (let waited = 0; this.#waiting.length > most; waited++) {
      if (waited > MOST_WAIT_MS) {
        this.faults.push(`message ${this.#waiting[0]} to ${this.#name} was not answered in ${MOST_WAIT_MS / 1000} s`);
        this.#waiting.length = 0;
        return;
      }
      await setTimeout(1);
    }
  }

  async #receive() {
    try {
      for await (const frames of this.#dealer) this.#take(this.#waiting.shift(), frames);
    } catch (error) {
      if (!this.#isEnded) throw error;
    }
  }

  #take(number, frames) {
    try {
      const { type, fields } = decode(frames);
      if (type !== "error" && !type.endsWith("_ok")) this.#wrong(number, `by a ${type}`);
      if (type === "error" && fields.code === "internal") this.#wrong(number, `by a bug: ${fields.message}`);
    } catch (error) {
      this.#wrong(number, `by what cannot be read: ${error.message}`);
    }
  }

  #wrong(number, how) {
    this.faults.push(
      number === undefined
        ? `nothing was asked, and answered ${how}`
        : `message ${number} to ${this.#name} was answered ${how}`,
    );
  }
}
