/** Where a backend that runs already is, and whether anything listens there: ZeroMQ itself tries for ever, in silence. */
import { once } from "node:events";
import { createConnection, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { unlessInterrupted, usageError } from "../errors.js";
import { NothingListens } from "./errors.js";

export type Address = { readonly path: string } | { readonly host: string; readonly port: number };

const LOOPBACK = /^tcp:\/\/(?<host>127(?:\.\d{1,3}){3}|localhost|\[::1\]):(?<port>\d+)$/;
const IPC = "ipc://";
const MAX_PORT = 65_535;

/** @throws IbatchError where it is none that may be gone to. */
export function addressOf(endpoint: string): Address {
  if (endpoint.startsWith(IPC)) return { path: endpoint.slice(IPC.length) };
  const { host, port } = LOOPBACK.exec(endpoint)?.groups ?? {};
  if (host !== undefined && Number(port) <= MAX_PORT) return { host: host.replace(/[[\]]/g, ""), port: Number(port) };
  throw usageError(
    `backend ${endpoint}: expected ipc://PATH or tcp://127.0.0.1:PORT; nothing is encrypted yet, so reach a backend ` +
      "elsewhere through an ssh tunnel of both its ports, PORT and PORT+1 under the same numbers",
  );
}

const TRY_EVERY_MILLISECONDS = 200;
/** Of one try: a connection to this machine is there at once, or refused. */
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
 * Waits until something listens at the endpoint.
 * @throws NothingListens where nothing does in so many seconds; Interrupted.
 */
export async function untilListening(endpoint: string, { seconds, signal, how, onWaiting }: Awaited): Promise<void> {
  const address = addressOf(endpoint);
  const tries = Math.max(1, Math.round((seconds * 1000) / TRY_EVERY_MILLISECONDS));
  let refusal = "";
  for (let tried = 0; tried < tries; tried++) {
    if (tried > 0) await unlessInterrupted(signal, sleep(TRY_EVERY_MILLISECONDS));
    const answer = await unlessInterrupted(signal, tryToConnect(address));
    if (answer === "listens") return;
    if (tried === 0) onWaiting?.();
    refusal = answer;
  }
  throw new NothingListens(
    `nothing listens at ${endpoint} (${refusal}): start a backend there with ${how}, or name another one by --backend`,
  );
}

/** `listens`, or why it does not. */
async function tryToConnect(address: Address): Promise<string> {
  const socket: Socket = createConnection(address);
  try {
    await once(socket, "connect", { signal: AbortSignal.timeout(TRY_MILLISECONDS) });
    return "listens";
  } catch (error) {
    const isLate = error instanceof Error && error.name === "AbortError";
    return error instanceof Error && "code" in error && !isLate ? String(error.code) : "no answer";
  } finally {
    socket.on("error", () => {});
    socket.destroy();
  }
}
