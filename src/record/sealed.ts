/** Documents of JSON with a hash of themselves, so that one that was changed since is not taken for what was written. */
import { z } from "zod";
import { hashValue } from "./hash.js";
import { damage, fitting, readJson } from "./read-file.js";
import { asRecorded, writeWholeJson } from "./write-file.js";

const SEAL = "documentSha256";

export const writeSealed = (path: string, value: object): void => writeWholeJson(path, sealed(value));

export const sealed = (value: object): object => ({ ...value, [SEAL]: hashValue(asRecorded(value)) });

const anyDocument = z.looseObject({ [SEAL]: z.string().optional() });

/**
 * One without a hash, of before there was such, is read as it stands, unless `unsealed` says that it is refused.
 * @throws Unreadable
 */
export function readSealed<T>(path: string, schema: z.ZodType<T>, unsealed: "read" | "refuse" = "read"): T {
  const { [SEAL]: recorded, ...value } = readJson(path, anyDocument);
  if (recorded === undefined && unsealed === "refuse") throw damage("it has no hash of itself");
  if (recorded !== undefined && hashValue(value) !== recorded) throw damage("it was changed after it was written");
  return fitting(value, schema);
}
