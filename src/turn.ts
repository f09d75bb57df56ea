import { setImmediate } from "node:timers/promises";

/** One for the process, as there is one event loop. */
let last: Promise<void> = Promise.resolve();

/**
 * A turn of the event loop for each who waits for one: what many begin at the same moment, and waits for the disk, is
 * done one by one, and between them backends are answered and signals heard.
 */
export function ownTurn(): Promise<void> {
  last = last.then(() => setImmediate());
  return last;
}
