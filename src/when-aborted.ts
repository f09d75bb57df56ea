interface Listening {
  readonly acts: Set<() => void>;
  readonly listener: () => void;
}

/** Who is told when a signal aborts: one listener for all of them, as Node takes more than ten of one signal for a leak. */
const LISTENING = new WeakMap<AbortSignal, Listening>();

/** Acts at once where it has aborted already. Returns what forgets about it. */
export function whenAborted(signal: AbortSignal, act: () => void): () => void {
  if (signal.aborted) {
    act();
    return () => {};
  }
  const { acts, listener } = LISTENING.get(signal) ?? listen(signal);
  acts.add(act);
  return () => {
    // What was forgotten before may have left the listening to others since.
    if (!acts.delete(act) || acts.size > 0) return;
    signal.removeEventListener("abort", listener);
    LISTENING.delete(signal);
  };
}

function listen(signal: AbortSignal): Listening {
  const acts = new Set<() => void>();
  const listener = () => {
    for (const act of [...acts]) act();
  };
  const listening = { acts, listener };
  LISTENING.set(signal, listening);
  signal.addEventListener("abort", listener);
  return listening;
}

/** Aborts with the first of them, until it is to forget them. */
export function earliest(...signals: readonly (AbortSignal | undefined)[]): {
  signal: AbortSignal;
  forget: () => void;
} {
  const first = new AbortController();
  const forget = signals.flatMap((one) => (one === undefined ? [] : [whenAborted(one, () => first.abort())]));
  return { signal: first.signal, forget: () => void forget.map((one) => one()) };
}
