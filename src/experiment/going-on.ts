/**
 * Whether a run that did not come to its end goes on from a checkpoint, or begins anew: one rule, for the run itself,
 * for what is made beside it, and for what is said of it.
 */
import type { RunDocument, Surroundings } from "../record/run-document.js";
import { changedCode } from "./other-code.js";

/** A run that was begun, as it is on record. */
export interface Begun {
  readonly document: Pick<RunDocument, "surroundings" | "failedByItself">;
  /** Of its checkpoints. */
  readonly steps: readonly number[];
}

/** Why it begins anew, in words that come after its name; undefined where it goes on. `now`: in what, where that is known. */
export function whyAnew({ document, steps }: Begun, now?: Surroundings): string | undefined {
  const { surroundings } = document;
  if (surroundings === undefined || steps.length === 0) return "was stopped without a checkpoint, and begins anew";
  const mended = now && mendedBy({ ...document, surroundings }, now);
  return mended && `failed before, and begins anew: ${mended}`;
}

/** Which code is another now, of a run whose own training failed: that is what mends it. */
export const mendedBy = (
  { failedByItself, surroundings }: Pick<RunDocument, "failedByItself"> & { readonly surroundings: Surroundings },
  now: Surroundings,
): string | undefined => (failedByItself ? changedCode(surroundings, now) : undefined);
