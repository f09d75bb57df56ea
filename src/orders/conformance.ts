/**
 * The laws that every order keeps, tried on cases that break careless ones. `checkOrder` finds faults and returns
 * them as data: the tests run it on every file of this folder, `ibatch order --check` on a user's own.
 */
import { z } from "zod";
import { CASES, type Case, filledLedger } from "./conformance-cases.js";
import { allocateMemory, emptyLedger, orderContext } from "./context.js";
import type { Coverage, OrderDefinition, OrderResult } from "./contract.js";
import { type ResultLaw, resultFaults } from "./result-check.js";

export type Law =
  | ResultLaw
  | "every option has a default"
  | "a deviation has its reason"
  | "it returns without an error"
  | "no batch is larger than asked for"
  | "same inputs, same bits"
  | "inputs are untouched"
  | "the ledger is read only when declared"
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
      definition.coverage !== "each-once" ||
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

  for (const options of tried) {
    for (const example of CASES) findings.push(...new CaseCheck(definition, options, example).findings());
  }
  return findings;
}

/** Every combination of the enum and boolean options, the others left at their defaults; not yet parsed. */
export function optionCombinations(schema: z.ZodObject): Record<string, unknown>[] {
  let combinations: Record<string, unknown>[] = [{}];
  for (const [name, option] of Object.entries(schema.shape)) {
    const values = valuesOf(option);
    if (values.length === 0) continue;
    combinations = combinations.flatMap((chosen) => values.map((value) => ({ ...chosen, [name]: value })));
  }
  return combinations;
}

/** Whether a value, such as the default export of a user's file, has the members of an order. */
export function isOrderDefinition(value: unknown): value is OrderDefinition {
  return typeof value === "object" && value !== null && missingMembers(value).length === 0;
}

/** The members that an object lacks, or has otherwise than an order should; none when it is an order. */
export function missingMembers(value: object): string[] {
  const isText = (member: unknown) => typeof member === "string" && member !== "";
  const isFunction = (member: unknown) => typeof member === "function";
  const proper: Record<keyof OrderDefinition, (member: unknown) => boolean> = {
    name: isText,
    summary: isText,
    whenToChoose: isText,
    options: (member) => member instanceof z.ZodObject,
    coverage: (member) => COVERAGES.some((coverage) => coverage === member),
    readsLedger: (member) => typeof member === "boolean",
    deviation: (member) => member === undefined || isText(member),
    memory: (member) => member === undefined || (typeof member === "object" && member !== null),
    changesEachEpoch: isFunction,
    dependsOnSeed: isFunction,
    order: isFunction,
  };
  return Object.entries(proper).flatMap(([name, isProper]) => (isProper(Reflect.get(value, name)) ? [] : [name]));
}

const COVERAGES: readonly Coverage[] = ["each-once", "at-most-once", "any"];

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

  findings(): readonly Finding[] {
    const first = this.#run(0, 0);
    const nextEpoch = this.#run(0, 1);
    const nextSeed = this.#run(1, 0);
    // Last, so that a generator that moves from call to call is caught.
    const again = this.#run(0, 0);
    const otherLedger = this.#run(0, 0, filledLedger);
    if (!first || !nextEpoch || !nextSeed || !again || !otherLedger) return this.#findings;

    if (!sameBits(first, again)) {
      this.#add("same inputs, same bits", "two results for (seed 0, epoch 0)", "one result");
      return this.#findings;
    }
    if (!this.#definition.readsLedger && !sameBits(first, otherLedger)) {
      this.#add("the ledger is read only when declared", "another result with another ledger", "readsLedger: true");
    }
    const changes = this.#definition.changesEachEpoch(this.#options);
    const depends = this.#definition.dependsOnSeed(this.#options);
    this.#compare("epochs differ as declared", "changesEachEpoch", changes, first, nextEpoch);
    this.#compare("seeds differ as declared", "dependsOnSeed", depends, first, nextSeed);
    if (changes && depends && this.#case.large && sameBits(nextEpoch, nextSeed)) {
      const expected = "seed and epoch as keys of their own, not their sum";
      this.#add("(seed 0, epoch 1) is not (seed 1, epoch 0)", "the same bits", expected);
    }
    return this.#findings;
  }

  /** The checked result for (seed, epoch), from inputs of its own that are compared with the case's afterwards. */
  #run(seed: number, epoch: number, makeLedger = emptyLedger): OrderResult | undefined {
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
      sameArray(inputs.ledger.loss, fresh.loss) ? [] : ["ledger.loss"],
      sameArray(inputs.ledger.seenAtStep, fresh.seenAtStep) ? [] : ["ledger.seenAtStep"],
      sameArray(inputs.ledger.correct, fresh.correct) ? [] : ["ledger.correct"],
      sameArray(inputs.ledger.draws, fresh.draws) ? [] : ["ledger.draws"],
      JSON.stringify(options) === JSON.stringify(this.#options) ? [] : ["options"],
    ].flat();
    if (changed.length > 0) {
      this.#add("inputs are untouched", `${changed.join(", ")} changed`, "every input as it was");
    }
    const { coverage } = this.#definition;
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

function sameBits(a: OrderResult, b: OrderResult): boolean {
  return (
    sameArray(a.indices, b.indices) &&
    sameArray(a.offsets, b.offsets) &&
    sameArray(a.weights, b.weights) &&
    sameArray(a.inclusion, b.inclusion)
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
