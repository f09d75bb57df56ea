/** Locks that are held, for a process that ends at once, as at a second Ctrl-C. */

export interface Released {
  release(): void;
}

export const releasedAtExit = new Set<Released>();

process.on("exit", () => {
  for (const held of releasedAtExit) {
    try {
      held.release();
    } catch {
      // a disk that refuses: the next command finds the holder gone
    }
  }
});
