/**
 * The laws that every order keeps, tried on cases that break careless ones. `checkOrder` finds faults and returns
 * them as data: the tests run it on every file of this folder, `ibatch order --check` on a user's own.
 */
import { z } from "zod";
import { CASES, type Case, filledLedger } from "./conformance-cases.js";
import { allocateMemory, emptyLedger, orderContext } from "./context.js";
import { type Coverage, EXTRA_SIGNALS, type LedgerView, type OrderDefinition, type OrderResult } from "./contract.js";
import { type ResultLaw, resultFaults } from "./result-check.js";

export type Law =
  | ResultLaw
  | "every option has a default"
  | "a deviation has its reason"
  | "coverage and signals are known words"
  | "it returns without an error"
  | "no batch is larger than asked for"
  | "same inputs, same bits"
  | "inputs are untouched"
  | "the ledger is read only when declared"
  | "the ledger is read when declared"
  | "signals are read only when declared"
  | "epochs differ as declared"
  | "seeds differ as declared"
  | "(seed 0, epoch 1) is not (seed 1, epoch 0)";

/** One fault: where, which law, what was seen, what was expected. */
export interface Finding {
  readonly order: string;
  readonly case: string;
  readonly options: unknown;
  readonly law: Law;
  readonly seen: string;
  readonly expected: string;
}

/** All faults of an order; none when it keeps the laws. Without a list, `optionCombinations` says what is tried. */
export function checkOrder<Options>(definition: OrderDefinition<Options>, optionsList?: readonly Options[]): Finding[] {
  const findings: Finding[] = [];
  let tried: readonly Options[];
  if (optionsList !== undefined) {
    tried = optionsList;
  } else {
    const parsed = optionCombinations(definition.options).map((raw) => definition.options.safeParse(raw));
    tried = parsed.flatMap((result) => (result.success ? [result.data] : []));
    const failed = parsed.find((result) => !result.success);
    if (failed !== undefined) {
      findings.push({
        order: definition.name,
        case: "definition",
        options: {},
        law: "every option has a default",
        seen: z.prettifyError(failed.error),
        expected: "options that are valid when left out, or a list of options to check with",
      });
    }
  }

  const deviates = tried.some(
    (options) =>
      definition.coverage(options) !== "each-once" ||
      !definition.changesEachEpoch(options) ||
      !definition.dependsOnSeed(options),
  );
  if (deviates && !definition.deviation) {
    findings.push({
      order: definition.name,
      case: "definition",
      options: {},
      law: "a deviation has its reason",
      seen: "no `deviation`",
      expected: "a sentence that says why samples do not come once each, or why an epoch or a seed changes nothing",
    });
  }

  const unknown = tried.flatMap((options) => unknownWords(definition, options)).at(0);
  if (unknown !== undefined) {
    findings.push({
      order: definition.name,
      case: "definition",
      options: {},
      law: "coverage and signals are known words",
      ...unknown,
    });
    return findings;
  }

  let ledgerMattered = false;
  for (const options of tried) {
    for (const example of CASES) {
      const check = new CaseCheck(definition, options, example);
      findings.push(...check.findings());
      ledgerMattered ||= check.ledgerMattered;
    }
  }
  if (definition.readsLedger && !ledgerMattered && findings.length === 0) {
    findings.push({
      order: definition.name,
      case: "all",
      options: {},
      law: "the ledger is read when declared",
      seen: "the same bits with every ledger",
      expected: "another result with another ledger, or readsLedger: false",
    });
  }
  return findings;
}

const COVERAGES: readonly Coverage[] = ["each-once", "at-most-once", "any"];

/** What the order declares with these options that is no word of the contract. */
function unknownWords<Options>(
  definition: OrderDefinition<Options>,
  options: Options,
): Pick<Finding, "seen" | "expected">[] {
  const coverage = definition.coverage(options);
  const signals = definition.signals?.(options) ?? [];
  const unknownSignals = signals.filter((signal) => !EXTRA_SIGNALS.includes(signal));
  return [
    ...(COVERAGES.includes(coverage) ? [] : [{ seen: `coverage ${coverage}`, expected: COVERAGES.join(", ") }]),
    ...unknownSignals.map((signal) => ({ seen: `signal ${signal}`, expected: EXTRA_SIGNALS.join(", ") })),
  ];
}

/** More combinations than this would take too long. */
const MOST_COMBINATIONS = 64;

/**
 * The combinations of the enum and boolean options, the others left at their defaults: all of them, or, where they
 * would be more than 64, those in which at most two options are not at their first value. Not yet parsed, but where
 * the defaults are valid without those that the schema refuses.
 */
export function optionCombinations(schema: z.ZodObject): Record<string, unknown>[] {
  const listed = Object.entries(schema.shape)
    .map(([name, option]) => ({ name, values: valuesOf(option) }))
    .filter(({ values }) => values.length > 0);
  const product = listed.reduce((count, { values }) => count * values.length, 1);
  const mostChanged = product <= MOST_COMBINATIONS ? listed.length : 2;

  let combinations: { chosen: Record<string, unknown>; changed: number }[] = [{ chosen: {}, changed: 0 }];
  for (const { name, values } of listed) {
    combinations = combinations.flatMap(({ chosen, changed }) =>
      values.flatMap((value, i) => {
        const now = i === 0 ? changed : changed + 1;
        return now <= mostChanged ? [{ chosen: { ...chosen, [name]: value }, changed: now }] : [];
      }),
    );
  }
  const all = combinations.map(({ chosen }) => chosen);
  return schema.safeParse({}).success ? all.filter((chosen) => schema.safeParse(chosen).success) : all;
}

/** Whether a value, such as the default export of a user's file, has the members of an order. */
export function isOrderDefinition(value: unknown): value is OrderDefinition {
  return typeof value === "object" && value !== null && missingMembers(value).length === 0;
}

/** The members that an object lacks, or has otherwise than an order should; none when it is an order. */
export function missingMembers(value: object): string[] {
  const isText = (member: unknown) => typeof member === "string" && member !== "";
  const isFunction = (member: unknown) => typeof member === "function";
  const isOptionalFunction = (member: unknown) => member === undefined || isFunction(member);
  const proper: Record<keyof OrderDefinition, (member: unknown) => boolean> = {
    name: isText,
    summary: isText,
    whenToChoose: isText,
    options: (member) => member instanceof z.ZodObject,
    coverage: isFunction,
    readsLedger: (member) => typeof member === "boolean",
    deviation: (member) => member === undefined || isText(member),
    memory: (member) => member === undefined || (typeof member === "object" && member !== null),
    signals: isOptionalFunction,
    changesObjective: isOptionalFunction,
    changesEachEpoch: isFunction,
    dependsOnSeed: isFunction,
    order: isFunction,
  };
  return Object.entries(proper).flatMap(([name, isProper]) => (isProper(Reflect.get(value, name)) ? [] : [name]));
}

/** The values an option can take where they can be listed, else none. */
function valuesOf(option: unknown): readonly unknown[] {
  if (option instanceof z.ZodDefault || option instanceof z.ZodOptional) return valuesOf(option.unwrap());
  if (option instanceof z.ZodEnum) return option.options;
  if (option instanceof z.ZodBoolean) return [false, true];
  return [];
}

/** One order with one set of options on one case. */
class CaseCheck<Options> {
  readonly #definition: OrderDefinition<Options>;
  readonly #options: Options;
  readonly #case: Case;
  readonly #findings: Finding[] = [];

  constructor(definition: OrderDefinition<Options>, options: Options, example: Case) {
    this.#definition = definition;
    this.#options = options;
    this.#case = example;
  }

  /** Whether another ledger made another result; known after `findings`. */
  ledgerMattered = false;

  findings(): readonly Finding[] {
    const { readsLedger } = this.#definition;
    const declared = this.#definition.signals?.(this.#options) ?? [];
    const unseen = (n: number) => emptyLedger(n, declared);
    const filled = (n: number) => filledLedger(n, declared);

    const first = this.#holdToLaws(unseen);
    if (!first) return this.#findings;
    const afterTraining = readsLedger ? this.#holdToLaws(filled) : this.#run(0, 0, filled);
    if (!afterTraining) return this.#findings;
    if (!readsLedger) {
      if (sameBits(first, afterTraining)) return this.#findings;
      this.#add("the ledger is read only when declared", "another result with another ledger", "readsLedger: true");
      return this.#findings;
    }
    const permuted = this.#run(0, 0, (n) => filledLedger(n, declared, 1));
    const withAll = this.#run(0, 0, (n) => filledLedger(n, EXTRA_SIGNALS));
    this.ledgerMattered = permuted !== undefined && !sameBits(afterTraining, permuted);
    if (withAll !== undefined && !sameBits(afterTraining, withAll)) {
      const expected = "every signal that is read named by `signals`";
      this.#add("signals are read only when declared", "another result with more signals in the ledger", expected);
    }
    return this.#findings;
  }

  /** The result for (seed 0, epoch 0) with this ledger, once it was compared with itself and with others. */
  #holdToLaws(makeLedger: MakeLedger): OrderResult | undefined {
    const first = this.#run(0, 0, makeLedger);
    const nextEpoch = this.#run(0, 1, makeLedger);
    const nextSeed = this.#run(1, 0, makeLedger);
    // Last, so that a generator that moves from call to call is caught.
    const again = this.#run(0, 0, makeLedger);
    if (!first || !nextEpoch || !nextSeed || !again) return undefined;

    if (!sameBits(first, again)) {
      this.#add("same inputs, same bits", "two results for (seed 0, epoch 0)", "one result");
      return undefined;
    }
    const changes = this.#definition.changesEachEpoch(this.#options);
    const depends = this.#definition.dependsOnSeed(this.#options);
    this.#compare("epochs differ as declared", "changesEachEpoch", changes, first, nextEpoch);
    this.#compare("seeds differ as declared", "dependsOnSeed", depends, first, nextSeed);
    if (changes && depends && this.#case.large && sameBits(nextEpoch, nextSeed)) {
      const expected = "seed and epoch as keys of their own, not their sum";
      this.#add("(seed 0, epoch 1) is not (seed 1, epoch 0)", "the same bits", expected);
    }
    return first;
  }

  /** The checked result for (seed, epoch), from inputs of its own that are compared with the case's afterwards. */
  #run(seed: number, epoch: number, makeLedger: MakeLedger): OrderResult | undefined {
    const { labels, classCount, eligible, size } = this.#case;
    const inputs = {
      labels: labels.slice(),
      eligible: eligible.slice(),
      ledger: makeLedger(labels.length),
    };
    const options = structuredClone(this.#options);
    const memory = allocateMemory(this.#definition.memory ?? {}, labels.length);
    const context = orderContext({ options, seed, epoch, classCount, size, memory, ...inputs });
    let result: OrderResult;
    try {
      result = this.#definition.order(context);
    } catch (error) {
      const seenText = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
      this.#add("it returns without an error", seenText, "a result");
      return undefined;
    }
    const fresh = makeLedger(labels.length);
    const changed = [
      sameArray(inputs.labels, labels) ? [] : ["labels"],
      sameArray(inputs.eligible, eligible) ? [] : ["eligible"],
      ...LEDGER_COLUMNS.map((column) => (sameArray(inputs.ledger[column], fresh[column]) ? [] : [`ledger.${column}`])),
      JSON.stringify(options) === JSON.stringify(this.#options) ? [] : ["options"],
    ].flat();
    if (changed.length > 0) {
      this.#add("inputs are untouched", `${changed.join(", ")} changed`, "every input as it was");
    }
    const coverage = this.#definition.coverage(this.#options);
    const faults = resultFaults(result, { n: labels.length, eligible, coverage });
    for (const { law, seen, expected } of faults) this.#add(law, seen, expected);
    const isBroken = (law: ResultLaw) => faults.some((fault) => fault.law === law);
    if (isBroken("the result has the right types")) return undefined;
    if (!isBroken("offsets are well-formed")) this.#checkSizes(result);
    return result;
  }

  #checkSizes({ offsets }: OrderResult): void {
    for (let b = 0; b + 1 < offsets.length; b++) {
      const taken = offsets[b + 1] - offsets[b];
      const asked = this.#case.size(b);
      if (taken <= asked) continue;
      this.#add("no batch is larger than asked for", `${taken} samples in batch ${b}`, `at most ${asked}`);
      return;
    }
  }

  /** Declared to differ, results must differ where there is room; declared not to, they must be equal everywhere. */
  #compare(law: Law, member: string, differ: boolean, a: OrderResult, b: OrderResult): void {
    const same = sameBits(a, b);
    if (differ && same && this.#case.large) this.#add(law, "the same bits twice", `another result: ${member} is true`);
    if (!differ && !same) this.#add(law, "two results", `the same bits: ${member} is false`);
  }

  /** The first fault against each law is enough. */
  #add(law: Law, seen: string, expected: string): void {
    if (this.#findings.some((finding) => finding.law === law)) return;
    const order = this.#definition.name;
    this.#findings.push({ order, case: this.#case.name, options: this.#options, law, seen, expected });
  }
}

type MakeLedger = (n: number) => LedgerView;

const LEDGER_COLUMNS: readonly (keyof LedgerView)[] = [
  "loss",
  "meanLoss",
  "seenAtStep",
  "correct",
  "draws",
  ...EXTRA_SIGNALS,
];

function sameBits(a: OrderResult, b: OrderResult): boolean {
  return (
    sameArray(a.indices, b.indices) &&
    sameArray(a.offsets, b.offsets) &&
    sameArray(a.weights, b.weights) &&
    sameArray(a.inclusion, b.inclusion) &&
    sameArray(a.probabilities, b.probabilities)
  );
}

/** Equal in every byte, so that NaN is NaN and 0 is not -0. */
function sameArray(a: ArrayBufferView | undefined, b: ArrayBufferView | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  if (a.byteLength !== b.byteLength) return false;
  const bytesA = new Uint8Array(a.buffer, a.byteOffset, a.byteLength);
  const bytesB = new Uint8Array(b.buffer, b.byteOffset, b.byteLength);
  return bytesA.every((byte, i) => byte === bytesB[i]);
}
