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

/** By which command it would go on. */
export interface GoingOn {
  /** Its config's section, where it asks for this run; null: it uses no checkpoint. */
  readonly checkpoint?: object | null | undefined;
  /** In what, where that is known. */
  readonly now?: Surroundings;
}

/** Why it begins anew, in words that come after its name; undefined where it goes on. */
export function whyAnew({ document, steps }: Begun, { checkpoint, now }: GoingOn): string | undefined {
  const { surroundings } = document;
  if (surroundings === undefined || steps.length === 0) return "was stopped without a checkpoint, and begins anew";
  if (checkpoint === null) return "has checkpoints, and begins anew (`checkpoint: null`)";
  const mended = now && mendedBy({ ...document, surroundings }, now);
  return mended && `failed before, and begins anew: ${mended}`;
}

/** Which code is another now, of a run whose own training failed: that is what mends it. */
export const mendedBy = (
  { failedByItself, surroundings }: Pick<RunDocument, "failedByItself"> & { readonly surroundings: Surroundings },
  now: Surroundings,
): string | undefined => (failedByItself ? changedCode(surroundings, now) : undefined);
