import { consecutive } from "../kernels/consecutive.js";
import { random } from "../kernels/random.js";
import { shuffled } from "../kernels/shuffle.js";
import { EXTRA_SIGNALS, type LedgerView } from "../orders/contract.js";
import type { LedgerOptions } from "../orders/ledger-options.js";
import { mapExtras } from "./sample-signals.js";

/**
 * A ledger with what is known of each eligible sample given to another one: a permutation that is a function of
 * (seed, epoch), and with `seen` of which samples were seen. How often each was drawn stays its own: that is no measurement of the model.
 */
export class PermutedLedger {
  /** What an order sees. */
  readonly view: LedgerView;
  readonly #ledger: LedgerView;
  readonly #copy: Columns;
  /** Whose values each sample's own go to; of those that are not eligible, themselves. */
  readonly #to: Uint32Array;

  /** What the ledger learns later goes into the view by `learned`. */
  constructor(ledger: LedgerView, eligible: Readonly<Uint32Array>, { seed, epoch, among }: PermutedBy) {
    const those = among === "seen" ? eligible.filter((sample) => ledger.seenAtStep[sample] >= 0) : eligible;
    const from = shuffled(those, random(seed, "placebo", epoch));
    this.#to = consecutive(ledger.loss.length);
    for (let at = 0; at < those.length; at++) this.#to[from[at]] = those[at];
    const { loss, meanLoss, seenAtStep, correct, draws } = ledger;
    this.#ledger = ledger;
    this.#copy = {
      ...{ loss: loss.slice(), meanLoss: meanLoss.slice(), seenAtStep: seenAtStep.slice(), correct: correct.slice() },
      ...mapExtras(ledger, (values) => values.slice()),
    };
    this.view = { ...this.#copy, draws };
    this.learned(eligible);
  }

  /** Takes over what was learned of these samples. Returns those of which the view has other values now, their draws too. */
  learned(samples: Readonly<Uint32Array>): Uint32Array {
    const changed = samples.map((sample) => this.#to[sample]);
    for (const name of COLUMNS) {
      const [values, copy] = [this.#ledger[name], this.#copy[name]];
      if (values === undefined || copy === undefined) continue;
      for (let at = 0; at < samples.length; at++) copy[changed[at]] = values[samples[at]];
    }
    const all = new Uint32Array(2 * samples.length);
    all.set(samples);
    all.set(changed, samples.length);
    return all;
  }
}

interface PermutedBy {
  readonly seed: number;
  readonly epoch: number;
  /** Which samples exchange what is known of them: all eligible ones, or those of them that were seen by then. */
  readonly among?: "all" | "seen";
}

/** As an arm's options ask for it; undefined where they do not. */
export function placeboOf(
  options: LedgerOptions | undefined,
  ledger: LedgerView,
  eligible: Readonly<Uint32Array>,
  place: Omit<PermutedBy, "among">,
): PermutedLedger | undefined {
  if (!options?.placebo) return undefined;
  return new PermutedLedger(ledger, eligible, { ...place, among: options.placebo === "seen" ? "seen" : "all" });
}

const COLUMNS = ["loss", "meanLoss", "seenAtStep", "correct", ...EXTRA_SIGNALS] as const;

type Columns = {
  readonly loss: Float32Array;
  readonly meanLoss: Float32Array;
  readonly seenAtStep: Int32Array;
  readonly correct: Uint8Array;
} & { readonly [signal in (typeof EXTRA_SIGNALS)[number]]?: Float32Array };
