/** From the seconds of rounds to what is said of them. */
import type { Ratio } from "../record/bench-document.js";

/** Of at least one. */
export function median(values: readonly number[]): number {
  const sorted = Float64Array.from(values).sort();
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** How many times as quick as another loop, round by round: loops of one round meet the same machine. */
export function ratioOf(ours: readonly number[], theirs: readonly number[]): Ratio {
  const ratios = ours.map((seconds, round) => theirs[round] / seconds);
  return { median: median(ratios), least: Math.min(...ratios), most: Math.max(...ratios) };
}

/** Each at its turn in a round; none is always the first. */
export const inTurn = <T>(loops: readonly T[], round: number): T[] =>
  loops.map((_, at) => loops[(at + round) % loops.length]);
