/** A signal may come at any moment; more of them in a row mean something else. */
const TRIES = 1_000;

/**
 * What `act` returns. It is done again where a signal interrupted it (EINTR): libzmq gives up there what it does at once
 * (connecting a socket, watching it), and does not begin it anew, as Node does with the calls of its own.
 */
export function uninterrupted<T>(act: () => T): T {
  for (let left = TRIES; ; left--) {
    try {
      return act();
    } catch (error) {
      if (left === 0 || !wasInterrupted(error)) throw error;
    }
  }
}

const wasInterrupted = (error: unknown): boolean => error instanceof Error && "code" in error && error.code === "EINTR";
