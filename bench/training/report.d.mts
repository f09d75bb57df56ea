export interface LoopCase {
  model: string;
  batchSize: number;
  peer: "bare" | "bare-kept" | "textbook" | "textbook-kept";
  workers: number;
  /** Least ratio; null: shown only. */
  bar: number | null;
}
interface Ratio {
  median: number;
  least: number;
  most: number;
}
interface Loop {
  samplesPerSecond: number;
  oursIs: Ratio;
}
export function loopRow(one: LoopCase, measured: { loops: Loop[] }): string[];
export function controlRow(
  one: { model: string; batchSize: number; samples: number; bar: number },
  measured: { control: { milliseconds: number; shareOfEpoch: number } },
): string[];
export function startRow(one: { args: string[]; bar: number }, milliseconds: Ratio): string[];
