/** Numbers as the page shows them. */
import { fromRecorded, type RecordedNumber } from "../../record/number.js";
import type { Description } from "../statistics.js";
import type { Spread } from "../summary.js";

export const percent = (share: number): string => (100 * share).toFixed(2);
export const lossText = (loss: number): string => loss.toFixed(4);

export function spreadText(value: Spread | null, format: (value: number) => string): string {
  if (value === null) return "–";
  const show = (number: RecordedNumber) => (typeof number === "number" ? format(fromRecorded(number)) : number);
  return value.sd === null ? show(value.mean) : `${show(value.mean)} ± ${show(value.sd)}`;
}

/** Mean ± sd. */
export function described({ mean, sd }: Pick<Description, "mean" | "sd">, format: (value: number) => string): string {
  if (mean === null) return "–";
  return sd === null ? format(mean) : `${format(mean)} ± ${format(sd)}`;
}

/** A few significant digits, for labels. */
export const short = (value: number, digits = 4): string => String(Number(value.toPrecision(digits)));
