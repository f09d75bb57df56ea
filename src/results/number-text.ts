/** Numbers of the findings as a person reads them. */
import type { Interval } from "../record/statistics-document.js";

/** Accuracies are shown in percent, their differences in points. */
export const PERCENT = 100;

/** -0.5 as −0.50, 0.5 as +0.50; what rounds to nothing is 0.00. */
export function signed(value: number, digits: number): string {
  const text = Math.abs(value).toFixed(digits);
  if (Number(text) === 0) return text;
  return `${value < 0 ? "−" : "+"}${text}`;
}

/** As `signed`, without a plus. */
export const plain = (value: number, digits: number): string => signed(value, digits).replace("+", "");

/** `low to high`, of differences. */
export const signedRange = ({ low, high }: Interval, digits: number, scale = 1): string =>
  `${signed(scale * low, digits)} to ${signed(scale * high, digits)}`;

export const range = ({ low, high }: Interval, digits: number, scale = 1): string =>
  `${plain(scale * low, digits)} to ${plain(scale * high, digits)}`;

const SMALLEST_SHOWN = 0.0001;

/** Two digits that count; what is too small to matter by how much is told as such. */
export function pText(p: number): string {
  if (p < SMALLEST_SHOWN) return `< ${SMALLEST_SHOWN}`;
  if (p === 1) return "1";
  return p < 0.01 ? p.toPrecision(2) : p.toFixed(p < 0.1 ? 3 : 2);
}

/** With the equals sign, or the one that stands for it. */
export const pEquals = (p: number): string => (p < SMALLEST_SHOWN ? `p ${pText(p)}` : `p = ${pText(p)}`);

export const counted = (n: number, noun: string, nouns = `${noun}s`): string => `${n} ${n === 1 ? noun : nouns}`;
