/** Where a backend that runs already is, and whether anything listens there: ZeroMQ itself tries for ever, in silence. */
import { once } from "node:events";
import { createConnection, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { surroundingsError, unlessInterrupted, usageError } from "../errors.js";
import { NothingListens } from "./errors.js";

export type Address =
  | { readonly path: string }
  | { readonly host: string; readonly port: number; readonly family: 4 | 6 };

const TCP = /^tcp:\/\/(?<host>[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]):(?<port>\d+)$/;
const LOOPBACK = /^tcp:\/\/(?:127(?:\.\d{1,3}){3}|localhost|\[::1\]):/;
const IPC = "ipc://";
const MAX_PORT = 65_535;

/** @throws IbatchError where it is none. */
export function addressOf(endpoint: string): Address {
  if (endpoint.startsWith(IPC)) return { path: endpoint.slice(IPC.length) };
  const { host, port } = TCP.exec(endpoint)?.groups ?? {};
  if (host !== undefined && Number(port) <= MAX_PORT) {
    return { host: host.replace(/[[\]]/g, ""), port: Number(port), family: host.startsWith("[") ? 6 : 4 };
  }
  throw usageError(`backend ${endpoint}: expected ipc://PATH or tcp://HOST:PORT`);
}

/** Whether others can reach it: over tcp also users of the same machine. */
export const isTcp = (endpoint: string): boolean => !endpoint.startsWith(IPC);

/** Whether only this machine can reach it. */
export const isLoopback = (endpoint: string): boolean => LOOPBACK.test(endpoint);

/**
 * Where work goes: a backend that listens at every address of its machine cannot know by which one it was reached, so
 * over tcp it says the port alone.
 * @throws IbatchError where it says what is no endpoint, or another kind of one.
 */
export function workEndpointOf(control: string, said: string): string {
  const [ours, theirs] = [addressOf(control), addressOf(said)];
  if (isTcp(control) !== isTcp(said)) throw usageError(`the backend at ${control} names ${said} for work`);
  return "port" in ours && "port" in theirs ? control.replace(/\d+$/, String(theirs.port)) : said;
}

const WORK_SUFFIX = ".work";

/** Of a backend whose work is there: its control endpoint, as it is unless the system chose both ports. */
export function controlEndpointOf(work: string): string {
  const address = addressOf(work);
  if ("port" in address) return work.replace(/\d+$/, String(address.port - 1));
  return work.endsWith(WORK_SUFFIX) ? work.slice(0, -WORK_SUFFIX.length) : work;
}

const TRY_EVERY_MILLISECONDS = 200;
/** Of one try: until it stands, and until it is greeted. */
const TRY_MILLISECONDS = 1000;

export interface Awaited {
  readonly seconds: number;
  readonly signal: AbortSignal;
  /** What starts a backend there, in words. */
  readonly how: string;
  /** Told once, where nothing listens yet. */
  readonly onWaiting?: (() => void) | undefined;
}

/**
 * Waits until something listens at the endpoint. Returns by which mechanism of ZeroMQ it wants to know its clients, as
 * NULL or CURVE; undefined where it does not say.
 * @throws NothingListens where nothing does in so many seconds; IbatchError where what does is no backend; Interrupted.
 */
export async function untilListening(endpoint: string, awaited: Awaited): Promise<string | undefined> {
  const { seconds, signal, how, onWaiting } = awaited;
  const address = addressOf(endpoint);
  let left = seconds * 1000;
  let heard = await unlessInterrupted(signal, tryToConnect(address));
  if (!heard.listens) onWaiting?.();
  while (!heard.listens && left > TRY_EVERY_MILLISECONDS) {
    left -= TRY_EVERY_MILLISECONDS + heard.milliseconds;
    await unlessInterrupted(signal, sleep(TRY_EVERY_MILLISECONDS));
    heard = await unlessInterrupted(signal, tryToConnect(address));
  }
  if (heard.listens) return mechanismIn(heard.greeting, endpoint);
  throw new NothingListens(
    `nothing listens at ${endpoint} (${heard.refusal}): start a backend there with ${how}, or name another one by --backend`,
  );
}

type Heard =
  | { readonly listens: true; readonly greeting: Buffer }
  | { readonly listens: false; readonly refusal: string; readonly milliseconds: number };

async function tryToConnect(address: Address): Promise<Heard> {
  const socket = createConnection(address);
  socket.on("error", () => {});
  try {
    await once(socket, "connect", { signal: AbortSignal.timeout(TRY_MILLISECONDS) });
    const greeting = await greetingOf(socket);
    // As a tunnel does where nothing is at its other end.
    if (greeting === undefined) return { listens: false, refusal: "what does hangs up at once", milliseconds: 0 };
    return { listens: true, greeting };
  } catch (error) {
    const isLate = error instanceof Error && error.name === "AbortError";
    const refusal = error instanceof Error && "code" in error && !isLate ? String(error.code) : "no answer";
    return { listens: false, refusal, milliseconds: isLate ? TRY_MILLISECONDS : 0 };
  } finally {
    socket.destroy();
  }
}

/** How a peer that speaks ZMTP 3 begins (RFC 37): a signature, two bytes of version, and a mechanism's name. */
const SIGNATURE = Buffer.from("ff00000000000000017f", "hex");
const OUR_VERSION = 3;
const MECHANISM_AT = 12;
const MECHANISM_END = 32;

/** As far as it came in time; undefined where the peer hung up without a word. */
function greetingOf(socket: Socket): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    let came = Buffer.alloc(0);
    const timer = setTimeout(() => resolve(came), TRY_MILLISECONDS);
    const settle = (greeting: Buffer | undefined) => {
      clearTimeout(timer);
      resolve(greeting);
    };
    socket.on("data", (bytes: Buffer) => {
      came = Buffer.concat([came, bytes]);
      if (came.length >= MECHANISM_END || !isSignature(came)) settle(came);
    });
    socket.on("close", () => settle(came.length === 0 ? undefined : came));
    socket.write(Buffer.concat([SIGNATURE, Buffer.of(OUR_VERSION)])); // it says its mechanism once it knows that much of us
  });
}

/** Of which the eight bytes between the two may be any. */
const isSignature = (came: Buffer): boolean =>
  came[0] === SIGNATURE[0] && (came.length < SIGNATURE.length || came[SIGNATURE.length - 1] === SIGNATURE.at(-1));

function mechanismIn(greeting: Buffer, endpoint: string): string | undefined {
  if (greeting.length === 0) return undefined;
  if (isSignature(greeting) && greeting.length >= MECHANISM_END) {
    return greeting.toString("latin1", MECHANISM_AT, MECHANISM_END).replace(/\0+$/, "");
  }
  throw surroundingsError(
    `what listens at ${endpoint} is no backend: it does not speak as ZeroMQ does; name another endpoint`,
  );
}
