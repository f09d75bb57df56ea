/** Numbers as the page shows them. */
import { fromRecorded, type RecordedNumber } from "../../record/number.js";
import type { Spread } from "../summary.js";

export const MINUS = "−";

/** A typographic minus, and a plus where it is asked for. */
export function signed(value: number, digits: number): string {
  const text = Math.abs(value).toFixed(digits);
  if (Number(text) === 0) return text;
  return `${value < 0 ? MINUS : "+"}${text}`;
}

export const percent = (share: number): string => (100 * share).toFixed(2);
export const lossText = (loss: number): string => loss.toFixed(4);

export function spreadText(value: Spread | null, format: (value: number) => string): string {
  if (value === null) return "–";
  const show = (number: RecordedNumber) => (typeof number === "number" ? format(fromRecorded(number)) : number);
  return value.sd === null ? show(value.mean) : `${show(value.mean)} ± ${show(value.sd)}`;
}

/** A few significant digits, for labels. */
export const short = (value: number): string => String(Number(value.toPrecision(4)));

export const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? "" : "s"}`;
