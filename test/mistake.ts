import { type FailureKind, IbatchError } from "../src/errors.js";

/** The sentence that a user sees; fails when nothing is thrown, or an error of another kind. */
export function mistake(act: () => unknown, kind: FailureKind = "usage"): string {
  try {
    act();
  } catch (error) {
    if (error instanceof IbatchError && error.kind === kind) return error.message;
    throw error;
  }
  throw new Error("nothing was thrown");
}
