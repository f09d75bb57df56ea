// Stands between a controller and a backend, and loses messages, doubles them, holds them back behind later ones, and sends
// old ones once more: in either direction, on both sockets.
import { setTimeout } from "node:timers/promises";
import { Dealer, Router } from "zeromq";
import { decode, encode } from "../../dist/backend/codec.js";

/** What may be done to a message. */
export const WAYS = ["lost", "doubled", "reordered", "replayed"];
/** A message that is held back goes after so many later ones, or so many milliseconds: none may come. */
const MOST_HELD = 3;
const MOST_HELD_MS = 150;
/** Old messages that may be sent again. */
const KEPT = 8;

export class MessageProxy {
  /** What was done so far: way → how often. */
  done = new Map(WAYS.map((way) => [way, 0]));
  #lines = [];

  /**
   * Listens at `front` for the backend whose control endpoint is `back`, both ipc. `draw(direction, type)`: one of WAYS, or
   * undefined for a message that passes.
   */
  static async start({ front, back, random, draw }) {
    const proxy = new MessageProxy();
    const rewrite = (frames) => named(frames, `${front}.work`);
    proxy.#lines.push(
      await Line.open({ front, back, random, draw, rewrite, done: proxy.done }),
      await Line.open({
        front: `${front}.work`,
        back: `${back}.work`,
        random,
        draw,
        rewrite: (one) => one,
        done: proxy.done,
      }),
    );
    return proxy;
  }

  close() {
    for (const line of this.#lines) line.close();
  }
}

/** `hello_ok` names the work endpoint: here it is ours. */
function named(frames, workEndpoint) {
  const message = decode(frames);
  if (message.type !== "hello_ok") return frames;
  return encode(message.id, "hello_ok", { ...message.fields, workEndpoint }, {});
}

/** One socket of the backend, and who asks there: one controller at a time. */
class Line {
  #router = new Router({ linger: 0 });
  #how;
  #there;
  #back;
  #isClosed = false;

  constructor(how) {
    this.#how = how;
  }

  static async open(how) {
    const line = new Line(how);
    await line.#router.bind(how.front);
    void line.#forward();
    return line;
  }

  close() {
    this.#isClosed = true;
    this.#router.close();
    this.#there?.close();
  }

  async #forward() {
    const asked = new Disturbed("asked", this.#how, (frames) => this.#there?.send(frames));
    try {
      for await (const [sender, ...frames] of this.#router) {
        if (this.#back === undefined || !this.#back.equals(sender)) this.#connect(sender);
        asked.pass(frames);
      }
    } catch (error) {
      if (!this.#isClosed) throw error;
    }
  }

  /** For another controller, or the same that connected anew: to the backend that is another one, too. */
  #connect(sender) {
    this.#there?.close();
    this.#back = sender;
    const dealer = new Outgoing(this.#how.back);
    this.#there = dealer;
    const answered = new Disturbed("answered", this.#how, async (frames) => {
      if (!this.#isClosed && this.#there === dealer) await this.#reply(sender, this.#how.rewrite(frames));
    });
    void dealer.receive((frames) => answered.pass(frames));
  }

  #lastReply = Promise.resolve();

  #reply(sender, frames) {
    const sent = this.#lastReply.then(() => this.#router.send([sender, ...frames.map(asBuffer)]));
    this.#lastReply = sent.catch(() => {}); // whoever asked is gone
    return this.#lastReply;
  }
}

/** A connection to the backend. */
class Outgoing {
  #dealer = new Dealer({ linger: 0 });
  #lastSend = Promise.resolve();
  #isClosed = false;

  constructor(endpoint) {
    this.#dealer.connect(endpoint);
  }

  send(frames) {
    this.#lastSend = this.#lastSend.then(() => this.#dealer.send(frames.map(asBuffer))).catch(() => {});
    return this.#lastSend;
  }

  async receive(take) {
    try {
      for await (const frames of this.#dealer) take(frames);
    } catch (error) {
      if (!this.#isClosed) throw error;
    }
  }

  close() {
    this.#isClosed = true;
    this.#dealer.close();
  }
}

/** Messages of one direction, as chance lets them pass. */
class Disturbed {
  #direction;
  #how;
  #send;
  #held = [];
  #old = [];

  constructor(direction, how, send) {
    this.#direction = direction;
    this.#how = how;
    this.#send = send;
  }

  pass(frames) {
    const { draw, random, done } = this.#how;
    const way = draw(this.#direction, decode(frames).type);
    if (way !== undefined) done.set(way, done.get(way) + 1);
    if (way === "reordered") this.#hold(frames);
    else if (way !== "lost") this.#send(frames);
    if (way === "doubled") this.#send(frames);
    if (way === "replayed") this.#send(random.pick([...this.#old, frames]));
    this.#old = [...this.#old, frames].slice(-KEPT);
    if (way !== "reordered") this.#letGo();
  }

  #hold(frames) {
    const held = { frames, behind: 1 + this.#how.random.below(MOST_HELD) };
    this.#held.push(held);
    void setTimeout(MOST_HELD_MS).then(() => {
      if (!this.#held.includes(held)) return;
      this.#held = this.#held.filter((one) => one !== held);
      this.#send(frames);
    });
  }

  /** A message went: those go that were held back behind it. */
  #letGo() {
    for (const held of this.#held) held.behind -= 1;
    const due = this.#held.filter(({ behind }) => behind <= 0);
    this.#held = this.#held.filter(({ behind }) => behind > 0);
    for (const { frames } of due) this.#send(frames);
  }
}

const asBuffer = (frame) => Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength);
