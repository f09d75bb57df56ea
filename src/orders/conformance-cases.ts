/** The inputs on which the conformance suite tries every order: small, uneven, empty, one-sided. */
import { consecutive } from "../kernels/consecutive.js";
import { random } from "../kernels/random.js";
import { shuffle } from "../kernels/shuffle.js";
import { emptyLedger } from "./context.js";
import { EXTRA_SIGNALS, type ExtraSignal, type LedgerView } from "./contract.js";

export interface Case {
  readonly name: string;
  readonly classCount: number;
  readonly labels: Uint32Array;
  readonly eligible: Uint32Array;
  readonly size: (batch: number) => number;
  /** Of a run of `EPOCHS`, the first of the two epochs that are compared. */
  readonly epoch: number;
  /** So many samples and batches that two orders at random are never equal. */
  readonly large: boolean;
}

/**
 * A ledger as after some training, with these signals: most samples seen, an eighth never; an eighth of the losses 0,
 * another one alike. `which` tells ledgers apart. Its arrays are the caller's.
 */
export function filledLedger(n: number, signals: readonly ExtraSignal[], which = 0): LedgerView {
  const key = `${n} ${which}`;
  const drawn = DRAWN.get(key) ?? drawLedger(n, which);
  DRAWN.set(key, drawn);
  return structuredClone(withSignals(drawn, signals));
}

/** Drawn once for all the times that a case asks for it. */
const DRAWN = new Map<string, LedgerView>();

function drawLedger(n: number, which: number): LedgerView {
  const ledger = emptyLedger(n, EXTRA_SIGNALS);
  const { loss, meanLoss } = ledger;
  const numbers = random(0, "placebo", which);
  for (let i = 0; i < n; i++) {
    const kind = numbers.below(8);
    const value = kind === 1 ? 0 : kind === 2 ? 0.5 : 4 * numbers.uniform();
    if (kind === 0) continue;
    loss[i] = value;
    meanLoss[i] = value / 2 + numbers.below(3);
    for (const [at, signal] of EXTRA_SIGNALS.entries()) {
      const column = ledger[signal];
      if (column) column[i] = at === 0 ? 1 - value : value / (5 - at);
    }
    ledger.seenAtStep[i] = numbers.below(100);
    ledger.correct[i] = numbers.below(2);
    ledger.draws[i] = 1 + numbers.below(5);
  }
  return ledger;
}

/** Scores of runs recorded earlier: an eighth unknown, an eighth alike. Its array is the caller's. */
export function filledScores(n: number): Float32Array {
  const numbers = random(2, "placebo", n);
  return new Float32Array(n).map(() => {
    const kind = numbers.below(8);
    if (kind === 0) return Number.NaN;
    return kind === 1 ? 0.5 : numbers.uniform();
  });
}

/** The ledger without the signals that are not among these. */
function withSignals(ledger: LedgerView, signals: readonly ExtraSignal[]): LedgerView {
  const kept = { ...ledger };
  for (const signal of EXTRA_SIGNALS) if (!signals.includes(signal)) delete kept[signal];
  return kept;
}

/** Labels with classes of these sizes, in a fixed mixed sequence. */
function labelsOf(classSizes: readonly number[]): Uint32Array {
  const labels = Uint32Array.from(classSizes.flatMap((size, c) => Array.from({ length: size }, () => c)));
  shuffle(labels, random(1, "placebo", 0));
  return labels;
}

/** Of the run that cases are of. */
export const EPOCHS = 10;

export function makeCase(
  name: string,
  classSizes: readonly number[],
  size: number | ((batch: number) => number),
  { isEligible = () => true, epoch = 0 }: { isEligible?: (index: number) => boolean; epoch?: number } = {},
): Case {
  const labels = labelsOf(classSizes);
  const eligible = consecutive(labels.length).filter(isEligible);
  const sizeOf = typeof size === "number" ? () => size : size;
  const large = eligible.length >= 50;
  return { name, classCount: classSizes.length, labels, eligible, size: sizeOf, epoch, large };
}

export const CASES: readonly Case[] = [
  makeCase("1 sample, batches of 3", [1], 3),
  makeCase("1 sample of 40 eligible", [20, 20], 3, { isEligible: (index) => index === 17 }),
  makeCase("11 samples in 3 classes, batches of 3", [5, 4, 2], 3),
  makeCase("20 samples, batches of 64", [10, 10], 64),
  makeCase("100 samples, batches of 1", [50, 50], 1),
  makeCase("100 samples in 4 classes, batches of 25", [25, 25, 25, 25], 25),
  makeCase("103 samples in 10 classes, batches of 8", [10, 10, 10, 10, 10, 10, 10, 10, 10, 13], 8),
  makeCase("one class, 60 samples, batches of 7", [60], 7),
  makeCase("1,000 classes, 2,500 samples, batches of 32", thousandClasses(), 32),
  makeCase("classes of 1, 10 and 1,000, batches of 16", [1, 10, 1000], 16),
  makeCase("an empty class among 5, batches of 6", [30, 0, 30, 20, 0], 6),
  makeCase("a strict subset of 200, batches of 9", [80, 80, 40], 9, { isEligible: (index) => index % 3 === 1 }),
  makeCase("batches of 1 to 13, one after another", [70, 50, 30], (batch) => 1 + ((batch * 7) % 13)),
  makeCase("120 samples, half way through the run", [70, 50], 8, { epoch: EPOCHS / 2 }),
  makeCase("120 samples, at the end of the run", [70, 50], 8, { epoch: EPOCHS - 2 }),
];

function thousandClasses(): number[] {
  return Array.from({ length: 1000 }, (_, c) => 1 + (c % 4));
}
