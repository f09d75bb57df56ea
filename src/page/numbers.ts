/** Numbers as the page shows them. */
import type { Description } from "../record/statistics-document.js";

/** Mean ± sd. */
export function described({ mean, sd }: Pick<Description, "mean" | "sd">, format: (value: number) => string): string {
  if (mean === null) return "–";
  return sd === null ? format(mean) : `${format(mean)} ± ${format(sd)}`;
}

/** A few significant digits, for labels. */
export const short = (value: number, digits = 4): string => String(Number(value.toPrecision(digits)));
