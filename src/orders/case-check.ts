/** The laws of all orders, held against one order with one set of options on one case. */
import { type Case, EPOCHS, filledLedger, filledScores } from "./conformance-cases.js";
import { allocateMemory, emptyLedger } from "./context.js";
import { type Coverage, EXTRA_SIGNALS, type LedgerView, type OrderDefinition, type OrderResult } from "./contract.js";
import { asking, type Declared, errorText } from "./declared.js";
import { sampleSize } from "./fraction.js";
import { likelierSamples } from "./likelier-samples.js";
import { type Ordered, orderedBy } from "./ordered.js";
import { type ResultFault, type ResultLaw, resultFaults } from "./result-check.js";
import { sameArray, sameBits } from "./same-bits.js";

export type Law =
  | ResultLaw
  | "the definition has no other members"
  | "every option has a default"
  | "a deviation has its reason"
  | "another objective is declared"
  | "coverage, share and signals are known"
  | "it returns without an error"
  | "same inputs, same bits"
  | "what is kept is in memory"
  | "inputs are untouched"
  | "the ledger is read only when declared"
  | "the ledger is read when declared"
  | "signals are read only when declared"
  | "an epoch draws the share that is declared"
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

/** One order with one set of options on one case. */
export class CaseCheck<Options> {
  readonly #definition: OrderDefinition<Options>;
  readonly #options: Options;
  readonly #declared: Declared;
  readonly #case: Case;
  readonly #findings: Finding[] = [];

  constructor(definition: OrderDefinition<Options>, options: Options, declared: Declared, example: Case) {
    this.#definition = definition;
    this.#options = options;
    this.#declared = declared;
    this.#case = example;
  }

  /** Whether another ledger made another result; known after `findings`. */
  ledgerMattered = false;

  findings(): readonly Finding[] {
    const { readsLedger } = this.#definition;
    const { signals } = this.#declared;
    const unseen = (n: number) => emptyLedger(n, signals);
    const filled = (n: number) => filledLedger(n, signals);

    const first = this.#holdToLaws(unseen);
    if (!first) return this.#findings;
    const afterTraining = readsLedger ? this.#holdToLaws(filled) : this.#run(0, 0, filled);
    if (!afterTraining) return this.#findings;
    if (!readsLedger) {
      if (sameBits(first, afterTraining)) return this.#findings;
      this.#add("the ledger is read only when declared", "another result with another ledger", "readsLedger: true");
      return this.#findings;
    }
    const permuted = this.#run(0, 0, (n) => filledLedger(n, signals, 1));
    const withAll = this.#run(0, 0, (n) => filledLedger(n, EXTRA_SIGNALS));
    this.#holdToObjective();
    this.ledgerMattered = permuted !== undefined && !sameBits(afterTraining, permuted);
    if (withAll !== undefined && !sameBits(afterTraining, withAll)) {
      const read = EXTRA_SIGNALS.filter((signal) => {
        const alone = this.#run(0, 0, (n) => filledLedger(n, [...signals, signal]));
        return signals.includes(signal) || (alone !== undefined && !sameBits(afterTraining, alone));
      });
      const expected = `every signal that is read: \`signals: () => ${JSON.stringify(read)}\``;
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
    const { changesEachEpoch: changes, dependsOnSeed: depends } = this.#declared;
    this.#compare("epochs differ as declared", "changesEachEpoch", changes, first, nextEpoch);
    this.#compare("seeds differ as declared", "dependsOnSeed", depends, first, nextSeed);
    if (changes && depends && this.#case.large && sameBits(nextEpoch, nextSeed)) {
      const expected = "seed and epoch as keys of their own, not their sum";
      this.#add("(seed 0, epoch 1) is not (seed 1, epoch 0)", "the same bits", expected);
    }
    return first;
  }

  /** The checked result for (seed, epoch), the case's epoch being 0. Its inputs are copies, held against the case's afterwards. */
  #run(seed: number, after: number, makeLedger: MakeLedger): OrderResult | undefined {
    const { labels, classCount, eligible, size } = this.#case;
    const epoch = this.#case.epoch + after;
    const inputs = {
      labels: labels.slice(),
      eligible: eligible.slice(),
      ledger: makeLedger(labels.length),
      scores: this.#declared.scores && filledScores(labels.length),
    };
    const options = structuredClone(this.#options);
    const step = STEPS_AN_EPOCH * epoch;
    let ordered: Ordered;
    try {
      const memory = asking("memory", () => allocateMemory(this.#definition.memory ?? {}, labels.length));
      const all = { options, seed, epoch, epochs: EPOCHS, step, classCount, size, memory, ...inputs };
      ordered = orderedBy(this.#definition, this.#declared, all);
    } catch (error) {
      this.#add("it returns without an error", errorText(error), "a result");
      return undefined;
    }
    const fresh = makeLedger(labels.length);
    const changed = [
      sameArray(inputs.labels, labels) ? [] : ["labels"],
      sameArray(inputs.eligible, eligible) ? [] : ["eligible"],
      inputs.scores === undefined || sameArray(inputs.scores, filledScores(labels.length)) ? [] : ["scores"],
      ...LEDGER_COLUMNS.map((column) => (sameArray(inputs.ledger[column], fresh[column]) ? [] : [`ledger.${column}`])),
      JSON.stringify(options) === JSON.stringify(this.#options) ? [] : ["options"],
    ].flat();
    if (changed.length > 0) {
      this.#add("inputs are untouched", `${changed.join(", ")} changed`, "every input as it was");
    }
    if ("fault" in ordered) {
      this.#addFault(ordered.fault);
      return undefined;
    }
    const { result } = ordered;
    const { coverage, ownSizes, epochShare } = this.#declared;
    const faults = resultFaults(result, { n: labels.length, eligible, coverage, ...(!ownSizes && { size }) });
    for (const fault of faults) this.#addFault(fault, coverageOf(result));
    const drawn = result.indices.length;
    const wanted = sampleSize(epochShare, eligible.length);
    // Left out it binds nobody: how many an order draws may depend on what it knows.
    if (this.#definition.epochShare !== undefined && drawn !== wanted) {
      const seen = `${drawn} samples of ${eligible.length}`;
      this.#add("an epoch draws the share that is declared", seen, `${wanted}, for \`epochShare\` is ${epochShare}`);
    }
    return result;
  }

  #addFault({ law, seen, expected }: ResultFault, fitting: Coverage = "any"): void {
    const isOften = law === "each sample comes as often as declared";
    this.#add(law, seen, isOften ? `${expected}, or \`coverage: () => "${fitting}"\`` : expected);
  }

  /** Where no other objective is declared, no samples are likelier than others, unless weights make up for it. */
  #holdToObjective(): void {
    const { coverage, changesObjective, signals } = this.#declared;
    const { labels, eligible } = this.#case;
    if (coverage === "each-once" || changesObjective || this.#definition.changesObjective === undefined) return;
    if (eligible.length < ENOUGH_SAMPLES) return;
    const draws = new Uint32Array(labels.length);
    for (let seed = 0; seed < 8; seed++) {
      const result = this.#run(seed, 0, (n) => filledLedger(n, signals));
      if (result === undefined || result.weights !== undefined) return;
      for (const index of result.indices) draws[index] += 1;
    }
    const likelier = likelierSamples(draws, labels, filledLedger(labels.length, []).loss, eligible);
    if (likelier === undefined) return;
    this.#add(
      "another objective is declared",
      likelier,
      "as often as the others, or weights, or `changesObjective: () => true`",
    );
  }

  /** Declared to differ, results must differ where there is room; declared not to, they must be equal everywhere. */
  #compare(law: Law, member: string, differ: boolean, a: OrderResult, b: OrderResult): void {
    const same = sameBits(a, b);
    if (differ && same && this.#case.large)
      this.#add(law, "the same bits twice", `another result, or \`${member}: () => false\``);
    if (!differ && !same) this.#add(law, "two results", `the same bits, or \`${member}: () => true\``);
  }

  /** The first fault against each law is enough. */
  #add(law: Law, seen: string, expected: string): void {
    if (this.#findings.some((finding) => finding.law === law)) return;
    const order = this.#definition.name;
    this.#findings.push({ order, case: this.#case.name, options: this.#options, law, seen, expected });
  }
}

/** More than any case has batches. */
const STEPS_AN_EPOCH = 1_000_000;

/** So many that the shares of drawn samples say something. */
const ENOUGH_SAMPLES = 1000;

/** The word for how often samples come, of a result that comes otherwise than declared. */
const coverageOf = ({ indices }: OrderResult): Coverage =>
  new Set(indices).size < indices.length ? "any" : "at-most-once";

type MakeLedger = (n: number) => LedgerView;

const LEDGER_COLUMNS: readonly (keyof LedgerView)[] = [
  "loss",
  "meanLoss",
  "seenAtStep",
  "correct",
  "draws",
  ...EXTRA_SIGNALS,
];
