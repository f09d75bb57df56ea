import type { LoopName } from "../record/bench-document.js";

export type RivalName = Exclude<LoopName, "ours">;

/** A loop that ours is held against. */
export interface Rival {
  readonly name: RivalName;
  /** Makes it ready to train, in the memory format that our backend chose. */
  prepare(memoryFormat: string): Promise<void>;
  /** Seconds of an epoch. */
  round(): Promise<number>;
  /** The most memory that its process held so far. */
  peakBytes(): Promise<number>;
  /** Ends it, whatever it does. */
  end(): Promise<void>;
}
