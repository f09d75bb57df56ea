import { availableParallelism } from "node:os";
import { Interrupted, surroundingsError, usageError } from "../errors.js";
import { packageRoot } from "../package-root.js";
import { settlesWithin } from "../process/deadline.js";
import { findPython } from "../process/find-python.js";
import { withLastLines } from "../process/output-lines.js";
import { BackendProcess, NO_USER_CODE, type UserCode } from "./backend-process.js";
import { howByHand } from "./by-hand.js";
import { BackendClient, type Heartbeat, type Introduction } from "./client.js";
import { type Credentials, NO_CREDENTIALS } from "./credentials.js";
import { untilListening } from "./endpoint.js";
import { BackendError, BackendLost } from "./errors.js";
import { mismatch } from "./refusal.js";

export interface BackendOptions {
  /** Control endpoint of a backend that is running already; absent: one is started. */
  readonly url?: string | undefined;
  /** What it is proven to who we are; absent: nothing. One that is started has its own. */
  readonly credentials?: Credentials | undefined;
  readonly python?: string | undefined;
  readonly device: string;
  readonly threads: number | "auto";
  readonly listen: string;
  /** What a backend that is started may run; of one at `url`, what it would have to be started with. */
  readonly userCode?: UserCode | undefined;
  readonly startSeconds: number;
  readonly heartbeat: Heartbeat;
  /** Seconds without progress after which a backend that works is given up; null: no limit. */
  readonly stallSeconds: number | null;
  /** One was at `url` before and is waited for as long as a start may take; else it has to be there. */
  readonly mayComeBack?: boolean | undefined;
  /** Told where it is not there yet. */
  readonly onWaiting?: (() => void) | undefined;
  /** Ends the opening; what is open already is the caller's to stop. */
  readonly signal: AbortSignal;
  /** Gets each line that a backend that is started writes; must not throw. */
  readonly onOutput?: ((line: string) => void) | undefined;
}

/** A backend to work with, whoever started it. */
export interface Backend {
  readonly client: BackendClient;
  /** Ends it if we started it; only the connection otherwise. */
  stop(): Promise<void>;
}

const SHUTDOWN_ANSWER_SECONDS = 5;

const LAST_LINES = 3;

/**
 * Attaches to a running backend, or starts one.
 * @throws IbatchError when that fails, or when a running one is not as was asked for; Interrupted.
 */
export async function openBackend(options: BackendOptions): Promise<Backend> {
  if (options.signal.aborted) throw new Interrupted();
  return options.url === undefined ? await startBackend(options) : await attach(options.url, options);
}

/** A backend that listens answers its greeting at once, also while it trains. */
const GREETING_SECONDS = 15;
/** One that is just being started by hand may be waited for a little. */
const LISTENING_SECONDS = 3;

async function attach(url: string, options: BackendOptions): Promise<Backend> {
  const { startSeconds, stallSeconds, mayComeBack, signal, onWaiting, credentials = NO_CREDENTIALS } = options;
  const seconds = mayComeBack ? startSeconds : Math.min(LISTENING_SECONDS, startSeconds);
  const mechanism = await untilListening(url, { seconds, signal, onWaiting, how: howByHand(url, options) });
  const wrong = mismatch(url, credentials, mechanism);
  if (wrong !== undefined) throw wrong;
  const client: BackendClient = await BackendClient.connect(url, {
    ...options,
    startSeconds: Math.min(GREETING_SECONDS, startSeconds),
    stall: { seconds: stallSeconds, giveUp: (error) => client.fail(error) },
  });
  const difference = describeDifference(client.introduction, options);
  if (difference === undefined) return { client, stop: async () => client.close() };
  client.close();
  throw usageError(`backend ${url} ${difference}`);
}

/** What was asked for and is otherwise at a backend that runs already; undefined where all is as asked. */
function describeDifference(seen: Introduction, { device, threads }: BackendOptions): string | undefined {
  if (device !== "auto" && seen.device !== device && !seen.device.startsWith(`${device}:`)) {
    return (
      `computes on ${seen.device}, ${device} was asked for: start that backend with --device ${device}, ` +
      "or leave the device to it (backend.device=auto)"
    );
  }
  if (threads !== "auto" && seen.threads !== threads) {
    return (
      `computes with ${seen.threads} threads, ${threads} were asked for: start that backend with ` +
      `--threads ${threads}, or leave them to it (backend.threads=auto)`
    );
  }
  return undefined;
}

async function startBackend(options: BackendOptions): Promise<Backend> {
  const child = await BackendProcess.start({
    python: findPython(options.python),
    packageRoot,
    device: options.device,
    threads: options.threads === "auto" ? availableParallelism() : options.threads,
    listen: options.listen,
    userCode: options.userCode ?? NO_USER_CODE,
    startSeconds: options.startSeconds,
    signal: options.signal,
    onOutput: options.onOutput,
  });
  try {
    const hopeless = child.ended.then(({ how, said }) =>
      surroundingsError(`the backend cannot start: ${withLastLines(how, said)}`),
    );
    let isAborted = false;
    const abort = async (stall: BackendLost) => {
      isAborted = true; // the reason is that it stalled, not that it ended of this
      const place = await child.abort();
      client.fail(place === undefined ? stall : new BackendLost(`${stall.how}: it hung in ${place}`));
    };
    const stall = { seconds: options.stallSeconds, giveUp: (error: BackendLost) => void abort(error) };
    const { controlEndpoint, credentials } = child;
    const client = await BackendClient.connect(controlEndpoint, { ...options, credentials, hopeless, stall });
    void child.ended.then(({ how, said }) => {
      if (!isAborted) client.fail(new BackendLost(`the backend ended: ${how}`, said.slice(-LAST_LINES)));
    });
    return { client, stop: () => stopChild(client, child) };
  } catch (error) {
    await child.stop({ asked: false });
    throw error;
  }
}

async function stopChild(client: BackendClient, child: BackendProcess): Promise<void> {
  let asked = false;
  const hears = () => {
    asked = true;
  };
  // One that has just opened a session refuses who does not name it yet: that its standard input closes asks it, too.
  const answered = client.shutdown().then(hears, (error: unknown) => error instanceof BackendError && hears());
  await settlesWithin(SHUTDOWN_ANSWER_SECONDS, answered);
  await child.stop({ asked });
  client.close();
}
