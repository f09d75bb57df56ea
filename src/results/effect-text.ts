/** What the effect size d_z is, in words. */
import type { Difference } from "../record/statistics-document.js";

export const hasEffect = ({ effectCorrected }: Difference): boolean => effectCorrected !== null;

/** And why some have none though they have a test. Undefined where none has one, and so no column. */
export function effectText(differences: readonly Difference[]): string | undefined {
  if (!differences.some(hasEffect)) return undefined;
  const isLeftOut = differences.some((one) => one.t !== null && !hasEffect(one));
  return `d_z: mean / sd, corrected for few seeds${isLeftOut ? "; – where one of the two ends alike with every seed" : ""}`;
}
