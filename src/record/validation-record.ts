/** What `ibatch validate` found of an experiment: `validation.json`. */
import { join } from "node:path";
import { z } from "zod";
import { isThere, Unreadable, unreadable } from "./read-file.js";
import { readSealed, writeSealed } from "./sealed.js";

export const VALIDATION = "validation.json";

export const check = z.strictObject({
  name: z.string(),
  verdict: z.enum(["pass", "fail", "skipped"]),
  /** What was seen. */
  measured: z.string(),
  /** What was allowed. */
  tolerance: z.string(),
  /** The first step, tensor or layer that differs and by how much; empty where there is nothing to be said. */
  detail: z.string(),
});
/** One line of what was compared. */
export type Check = Readonly<z.infer<typeof check>>;

const validation = z.object({
  date: z.string(),
  command: z.string(),
  ibatchVersion: z.string(),
  commit: z.string().optional(),
  torch: z.string(),
  arm: z.string(),
  seed: z.int().min(0),
  batches: z.int().min(0),
  /** Of the arm, as a run's; that of other runs where the config has changed since. */
  configHash: z.string(),
  /** The user's model and loop that were compared with, where there were such. */
  reference: z.string().optional(),
  loop: z.string().optional(),
  checks: z.array(check),
});
export type ValidationDocument = Readonly<z.infer<typeof validation>>;

export const writeValidation = (directory: string, document: ValidationDocument): void =>
  writeSealed(join(directory, VALIDATION), document);

/**
 * Undefined where none is on record.
 * @throws IbatchError when it is damaged.
 */
export function readValidation(directory: string): ValidationDocument | undefined {
  const path = join(directory, VALIDATION);
  if (!isThere(path)) return undefined;
  try {
    return readSealed(path, validation);
  } catch (cause) {
    if (!(cause instanceof Unreadable)) throw cause;
    throw unreadable(path, cause, "remove it, or run `ibatch validate` again");
  }
}
