/** A summary's figures as table and page show them. */
import { fromRecorded, type RecordedNumber } from "../record/number.js";
import type { ArmSummary, Spread } from "./summary.js";

/** Mean ± sd. */
export function spreadText(value: Spread | null, format: (value: number) => string): string {
  if (value === null) return "–";
  const show = (number: RecordedNumber) => (typeof number === "number" ? format(fromRecorded(number)) : number);
  return value.sd === null ? show(value.mean) : `${show(value.mean)} ± ${show(value.sd)}`;
}

/** How an arm's runs ended, of so many planned. */
export function runsText({ done, diverged, failed }: ArmSummary, planned: number): string {
  const parts = [`${done} of ${planned}`];
  if (diverged > 0) parts.push(`${diverged} diverged`);
  if (failed > 0) parts.push(`${failed} failed`);
  return parts.join(", ");
}

/** Of a share. */
export const percent = (share: number): string => (100 * share).toFixed(2);
export const lossText = (loss: number): string => loss.toFixed(4);
