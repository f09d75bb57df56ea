/** What a backend answers a session, held against what it was asked. */
import { z } from "zod";
import { BackendError } from "../backend/errors.js";
import type { ExtraSignal } from "../orders/contract.js";
import { sha256 } from "../record/hash.js";
import { ALWAYS_ASKED, type AnsweredSignals, type SampleSignals } from "./sample-signals.js";

export function readClassNames(json: Uint8Array): string[] {
  try {
    return z.array(z.string()).parse(JSON.parse(Buffer.from(json).toString("utf8")));
  } catch (error) {
    throw new BackendError("bad_array", `the backend sent class names that are no list of texts: ${error}`);
  }
}

export function checkGathered(seen: string, indices: Uint32Array): void {
  const expected = sha256(indices);
  if (seen === expected) return;
  throw new BackendError(
    "hash_mismatch",
    `the backend gathered indices that hash to ${seen}, those of the plan hash to ${expected}: this is a bug, report it`,
  );
}

export function checkShape(seen: readonly number[], expected: readonly (number | undefined)[]): void {
  if (seen.length === expected.length && seen.every((size, at) => size === expected[at])) return;
  throw new BackendError(
    "bad_array",
    `the backend sent images of shape [${seen}], [${expected}] was asked for: this is a bug, report it`,
  );
}

/** The signals that were asked for: those that always are, and these. */
export function present(arrays: AnsweredSignals, extras: readonly ExtraSignal[]): SampleSignals {
  const { loss, correct, prediction } = arrays;
  const missing = [...ALWAYS_ASKED, ...extras].filter((signal) => arrays[signal] === undefined);
  if (loss === undefined || correct === undefined || prediction === undefined || missing.length > 0) {
    throw new BackendError("bad_array", `the backend left out what was asked for: ${missing.join(", ")}`);
  }
  return { ...arrays, loss, correct, prediction };
}
