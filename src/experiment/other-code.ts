/** Whether two runs were made by one code of the user's: by its files, and by the model that came of it. */
import { hashValue } from "../record/hash.js";
import type { Surroundings } from "../record/run-document.js";
import { asRecorded } from "../record/write-file.js";

/** The seed of a run's initial weights, the hash of all that its config says of the model, and what it was made in. */
export interface MadeFrom {
  readonly seed: number;
  readonly modelHash: string;
  readonly isOwnModel: boolean;
  readonly surroundings: Surroundings;
}

/** `model`: as the config has it, or a record of it. */
export const modelOf = (model: unknown): Pick<MadeFrom, "modelHash" | "isOwnModel"> => ({
  modelHash: hashValue(asRecorded(model)),
  isOwnModel: typeof model === "object" && model !== null && "origin" in model && model.origin === "import",
});

/** After "seeds": what a model means for them that starts each from the weights of the others. */
export const STARTS_ALIKE =
  "start from equal weights (the model seeds itself, or loads them): they differ in order and noise alone";

/**
 * The first source of which both runs had another version, in words. Where a file lies does not matter. Records of
 * before know the file of each reference alone.
 */
export function changedCode(then: Surroundings, now: Surroundings): string | undefined {
  const [source] = differing(then.code, now.code, ({ module }) => module);
  if (source !== undefined)
    return `${source.after.file} is another (${hashes(source.before.sha256, source.after.sha256)})`;
  const [named] = differing(then.imports, now.imports, ({ reference }) => reference);
  if (named !== undefined) {
    const { reference, file, sha256 } = named.after;
    return `${file ?? reference}, which ${reference} names, is another (${hashes(named.before.sha256, sha256)})`;
  }
  const released = shared(then.imports, now.imports, ({ reference }) => reference).find(
    (pair) => pair.before.version !== pair.after.version,
  );
  if (released === undefined) return undefined;
  return `${released.after.reference} is of version ${released.after.version}, then of ${released.before.version}`;
}

interface Pair<T> {
  readonly before: T;
  readonly after: T;
}

function shared<T>(then: readonly T[] = [], now: readonly T[] = [], key: (one: T) => string): Pair<T>[] {
  const known = new Map(then.map((one) => [key(one), one]));
  return now.flatMap((after) => {
    const before = known.get(key(after));
    return before === undefined ? [] : [{ before, after }];
  });
}

const differing = <T extends { readonly sha256: string | null }>(
  then: readonly T[] | undefined,
  now: readonly T[] | undefined,
  key: (one: T) => string,
): Pair<T>[] => shared(then, now, key).filter((pair) => pair.before.sha256 !== pair.after.sha256);

const hashes = (then: string | null, now: string | null): string =>
  `SHA-256 ${now?.slice(0, 8) ?? "unknown"}, then ${then?.slice(0, 8) ?? "unknown"}`;

/**
 * How two runs of one seed and one model started otherwise, in words. What a model of ours is depends on the dataset,
 * too.
 */
export function otherStart(then: MadeFrom, now: MadeFrom): string | undefined {
  if (then.seed !== now.seed || then.modelHash !== now.modelHash) return undefined;
  const [before, after] = [then.surroundings, now.surroundings];
  if (!now.isOwnModel && hashValue(before.dataset) !== hashValue(asRecorded(after.dataset))) return undefined;
  if (before.parameterCount !== after.parameterCount) {
    return `${after.parameterCount} parameters, then ${before.parameterCount}`;
  }
  if (before.initialWeightsSha256 === after.initialWeightsSha256) return undefined;
  return `initial weights of seed ${now.seed} with ${hashes(before.initialWeightsSha256, after.initialWeightsSha256)}`;
}
