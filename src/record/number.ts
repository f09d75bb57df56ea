import { z } from "zod";

/** A number as records hold it: JSON has no NaN and no infinities, so these three are strings. */
export type RecordedNumber = number | "NaN" | "Infinity" | "-Infinity";

export const recordedNumber = z.union([z.number(), z.literal(["NaN", "Infinity", "-Infinity"])]);

export function toRecorded(value: number): RecordedNumber {
  if (Number.isFinite(value)) return value;
  if (Number.isNaN(value)) return "NaN";
  return value > 0 ? "Infinity" : "-Infinity";
}

export const fromRecorded = (value: RecordedNumber): number => Number(value);
