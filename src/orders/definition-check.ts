/** Whether what a user's file exports is an order: it may be written in plain JavaScript. */
import { z } from "zod";
import { MEMORY_DTYPES, type OrderDefinition } from "./contract.js";
import { meant } from "./result-check.js";

/** Whether a value, such as the default export of a user's file, has the members of an order. */
export function isOrderDefinition(value: unknown): value is OrderDefinition {
  return typeof value === "object" && value !== null && missingMembers(value).length === 0;
}

/** The members that an object lacks, or has otherwise than an order should; none when it is an order. */
export function missingMembers(value: object): string[] {
  const wrong = Object.entries(checksOf(value)).flatMap(([name, isProper]) =>
    isProper(Reflect.get(value, name)) ? [] : [name],
  );
  return [...wrong, ...wrongMemory(Reflect.get(value, "memory"))];
}

/** The members of an object that no definition has, each with the one that may be meant: one written wrong says nothing. */
export function unknownMembers(value: object): string[] {
  const known = [...Object.keys(checksOf(value)), "memory"];
  const memory: unknown = Reflect.get(value, "memory");
  const arrays = isObject(memory) ? Object.entries(memory) : [];
  return [
    ...unknownAmong(value, known, ""),
    ...arrays.flatMap(([name, array]: [string, unknown]) =>
      isObject(array) ? unknownAmong(array, ["dtype", "length"], `memory.${name}.`) : [],
    ),
  ];
}

const unknownAmong = (value: object, known: readonly string[], at: string): string[] =>
  Object.keys(value)
    .filter((name) => !known.includes(name))
    .map((name) => `\`${at}${name}\`${meant(name, known)}`);

type Checks = Readonly<Record<Exclude<keyof OrderDefinition, "memory">, (member: unknown) => boolean>>;

/** What each member is held to, beside the others of this object. */
function checksOf(value: object): Checks {
  const isText = (member: unknown) => typeof member === "string" && member !== "";
  const isFunction = (member: unknown) => typeof member === "function";
  const isOptionalFunction = (member: unknown) => member === undefined || isFunction(member);
  const isOptionalBoolean = (member: unknown) => member === undefined || typeof member === "boolean";
  const isAbsent = (member: unknown) => member === undefined;
  const has = (member: string) => isFunction(Reflect.get(value, member));
  const [hasOrder, hasBatches, hasCandidates] = ["order", "nextBatch", "candidates"].map(has);
  return {
    name: isText,
    summary: isText,
    whenToChoose: isText,
    options: (member) => member instanceof z.ZodObject,
    coverage: isFunction,
    readsLedger: (member) => typeof member === "boolean",
    ignoresLedger: isOptionalFunction,
    deviation: (member) => member === undefined || isText(member),
    epochShare: isOptionalFunction,
    signals: isOptionalFunction,
    scores: isOptionalFunction,
    changesObjective: isOptionalFunction,
    ownSizes: isOptionalBoolean,
    unknownProbabilities: isOptionalBoolean,
    changesEachEpoch: isFunction,
    dependsOnSeed: isFunction,
    order: hasBatches ? isOptionalFunction : isFunction,
    nextBatch: isOptionalFunction,
    candidates: hasBatches ? isOptionalFunction : isAbsent,
    decidesEachBatch: hasOrder && hasBatches ? isFunction : isAbsent,
    candidatesPerSample: hasCandidates ? isOptionalFunction : isAbsent,
    scoresCandidates: hasCandidates ? isOptionalFunction : isAbsent,
  };
}

const isObject = (value: unknown): value is object => typeof value === "object" && value !== null;

/** The parts of a declared memory that cannot be allocated, by their path. */
function wrongMemory(memory: unknown): string[] {
  if (memory === undefined) return [];
  if (!isObject(memory)) return ["memory"];
  return Object.entries(memory).flatMap(([name, array]: [string, unknown]) => {
    const at = `memory.${name}`;
    if (!isObject(array)) return [at];
    const dtype: unknown = Reflect.get(array, "dtype");
    return [
      ...(MEMORY_DTYPES.some((known) => known === dtype)
        ? []
        : [
            `${at}.dtype (${typeof dtype === "string" ? `"${dtype}", ` : ""}expected one of ${MEMORY_DTYPES.join(" ")})`,
          ]),
      ...(typeof Reflect.get(array, "length") === "function" ? [] : [`${at}.length`]),
    ];
  });
}
