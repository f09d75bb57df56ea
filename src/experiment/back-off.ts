/** How long is waited before something is tried again. */
import { setTimeout } from "node:timers/promises";
import { Interrupted } from "../errors.js";
import { whenAborted } from "../when-aborted.js";

const MOST_SECONDS = 60;

/** None before the first try, then 1, 2, 4 …, at most a minute. */
export const secondsBefore = (attempt: number): number =>
  attempt <= 1 ? 0 : Math.min(MOST_SECONDS, 2 ** (attempt - 2));

/**
 * Ends early where one of `over` says so: nobody waits for it any more.
 * @throws Interrupted where `signal` does.
 */
export async function pause(seconds: number, signal: AbortSignal, ...over: readonly AbortSignal[]): Promise<void> {
  const early = new AbortController();
  const end = () => early.abort();
  const forget = [signal, ...over].map((one) => whenAborted(one, end));
  try {
    if (seconds > 0) await setTimeout(1000 * seconds, undefined, { signal: early.signal });
  } catch (error) {
    if (!early.signal.aborted) throw error;
  } finally {
    for (const one of forget) one();
  }
  if (signal.aborted) throw new Interrupted();
}
