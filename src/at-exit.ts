/** What is done when this process ends, also at once: one listener for all, as Node takes more than ten for a leak. */

const acts = new Set<() => void>();

const actAll = (): void => {
  for (const act of [...acts]) {
    try {
      act();
    } catch {
      // the others are to be done, too
    }
  }
};

/** Returns what forgets about it. */
export function atExit(act: () => void): () => void {
  if (acts.size === 0) process.on("exit", actAll);
  acts.add(act);
  return () => {
    if (acts.delete(act) && acts.size === 0) process.removeListener("exit", actAll);
  };
}
