/** Of a pair of runs: seconds with the default and with none, and how many checkpoints were how long under way. */
export interface Pair {
  default: number;
  none: number;
  saves: number;
  milliseconds: number;
}
export function tableOfRuns(pairs: Pair[]): string;
