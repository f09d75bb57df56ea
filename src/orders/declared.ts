/** What an order says of itself, asked in the knowledge that its author may throw anything. */
import { inspect } from "node:util";
import {
  type Coverage,
  EXTRA_SIGNALS,
  type ExtraSignal,
  type OrderDefinition,
  SCORE_KINDS,
  type WantedScores,
} from "./contract.js";

/** What an order says of itself with one set of options. */
export interface Declared {
  readonly coverage: Coverage;
  readonly epochShare: number;
  readonly signals: readonly ExtraSignal[];
  /** Undefined where it reads no runs recorded earlier. */
  readonly scores: WantedScores | undefined;
  /** Whether nothing of the ledger is looked at, though it has candidates scored. */
  readonly ignoresLedger: boolean;
  readonly changesEachEpoch: boolean;
  readonly dependsOnSeed: boolean;
  readonly changesObjective: boolean;
  readonly ownSizes: boolean;
  readonly unknownProbabilities: boolean;
  /** Whether it decides each batch; else whole epochs. */
  readonly eachBatch: boolean;
  /** Whether candidates of each batch are scored before it is decided. */
  readonly scoresCandidates: boolean;
  /** So many for each sample of a batch; 0 where none are scored. */
  readonly candidatesPerSample: number;
}

/** @throws ToldError naming the member, where one of the definition throws. */
export function declaredBy<Options>(definition: OrderDefinition<Options>, options: Options): Declared {
  const eachBatch =
    definition.order === undefined ||
    (definition.decidesEachBatch !== undefined &&
      asking("decidesEachBatch", () => definition.decidesEachBatch(options)));
  const epochShare = asking("epochShare", () => definition.epochShare?.(options) ?? 1);
  const scoresCandidates = eachBatch && scores(definition, options);
  const perSample = () => definition.candidatesPerSample?.(options) ?? 1 / epochShare;
  return {
    coverage: asking("coverage", () => definition.coverage(options)),
    epochShare,
    signals: asking("signals", () => definition.signals?.(options) ?? []),
    scores: asking("scores", () => definition.scores?.(options)),
    ignoresLedger: asking("ignoresLedger", () => definition.ignoresLedger?.(options) ?? false),
    changesEachEpoch: asking("changesEachEpoch", () => definition.changesEachEpoch(options)),
    dependsOnSeed: asking("dependsOnSeed", () => definition.dependsOnSeed(options)),
    changesObjective: asking("changesObjective", () => definition.changesObjective?.(options) ?? false),
    ownSizes: definition.ownSizes ?? false,
    unknownProbabilities: definition.unknownProbabilities ?? false,
    eachBatch,
    scoresCandidates,
    candidatesPerSample: scoresCandidates ? asking("candidatesPerSample", perSample) : 0,
  };
}

function scores<Options>(definition: OrderDefinition<Options>, options: Options): boolean {
  if (definition.candidates === undefined) return false;
  if (!definition.readsLedger) {
    throw new ToldError("readsLedger is false beside candidates, expected true: it reads what scoring them gives");
  }
  return asking("scoresCandidates", () => definition.scoresCandidates?.(options) ?? true);
}

export const deviates = ({ coverage, changesEachEpoch, dependsOnSeed }: Declared): boolean =>
  coverage !== "each-once" || !changesEachEpoch || !dependsOnSeed;

/** Its message is all that there is to say of what was thrown. */
export class ToldError extends Error {}

/** What the order's author wrote may throw anything: here under the name of the member. */
export function asking<T>(member: string, ask: () => T): T {
  try {
    return ask();
  } catch (error) {
    throw new ToldError(`${member}: ${errorText(error)}`, { cause: error });
  }
}

/** In one line, whatever was thrown. */
export function errorText(error: unknown): string {
  if (error instanceof ToldError) return error.message;
  if (error instanceof Error) return `${error.name}: ${error.message}`.replace(/\s*\n\s*/g, " ");
  // An object need not have a text.
  return typeof error === "object" ? inspect(error, { breakLength: Number.POSITIVE_INFINITY }) : String(error);
}

/** As `errorText`, without the word that says no more than that it is one. */
export const thrownText = (error: unknown): string => errorText(error).replace(/^(Ibatch)?Error: /, "");

/** Every word for how often samples come. */
export const COVERAGES: readonly Coverage[] = ["each-once", "at-most-once", "any"];

/** A user's own may say anything. */
function areKnownScores(scores: unknown): boolean {
  if (typeof scores !== "object" || scores === null) return false;
  const [of, epoch]: unknown[] = [Reflect.get(scores, "of"), Reflect.get(scores, "epoch")];
  const isOfRun = of === "forgetting" || of === "irreducible";
  const isEpoch =
    epoch === null || (!isOfRun && typeof epoch === "number" && Number.isSafeInteger(epoch) && epoch >= 0);
  return isEpoch && SCORE_KINDS.some((kind) => kind === of);
}

/** What is declared that is no word of the contract. */
export function unknownWords(declared: Declared): { seen: string; expected: string }[] {
  const { coverage, signals, scores, epochShare, eachBatch, scoresCandidates, candidatesPerSample, ownSizes } =
    declared;
  const known = EXTRA_SIGNALS.join(", ");
  const unknownSignals = Array.isArray(signals)
    ? signals
        .filter((signal) => !EXTRA_SIGNALS.includes(signal))
        .map((signal) => ({ seen: `signal ${String(signal)}`, expected: known }))
    : [{ seen: `signals ${errorText(signals)}`, expected: `a list of some of ${known}` }];
  return [
    ...(COVERAGES.includes(coverage)
      ? []
      : [{ seen: `coverage ${errorText(coverage)}`, expected: COVERAGES.join(", ") }]),
    ...unknownSignals,
    ...(epochShare > 0 && epochShare < Number.POSITIVE_INFINITY
      ? []
      : [{ seen: `epochShare ${errorText(epochShare)}`, expected: "a number above 0" }]),
    ...(coverage === "any" || (coverage === "each-once" ? epochShare === 1 : epochShare <= 1)
      ? []
      : [
          {
            seen: `coverage ${errorText(coverage)} with epochShare ${errorText(epochShare)}`,
            expected: "epochShare 1 with each-once, at most 1 with at-most-once",
          },
        ]),
    ...(scores === undefined || areKnownScores(scores)
      ? []
      : [
          {
            seen: `scores ${errorText(scores)}`,
            expected: `{ of, epoch }: ${SCORE_KINDS.join(", ")}, and an epoch or null`,
          },
        ]),
    ...(typeof eachBatch === "boolean"
      ? []
      : [{ seen: `decidesEachBatch ${errorText(eachBatch)}`, expected: "true or false" }]),
    ...(typeof scoresCandidates === "boolean"
      ? []
      : [{ seen: `scoresCandidates ${errorText(scoresCandidates)}`, expected: "true or false" }]),
    ...(scoresCandidates !== true || (candidatesPerSample >= 1 && candidatesPerSample < Number.POSITIVE_INFINITY)
      ? []
      : [{ seen: `candidatesPerSample ${errorText(candidatesPerSample)}`, expected: "a number of at least 1" }]),
    ...(eachBatch && ownSizes
      ? [{ seen: "ownSizes of an order that decides each batch", expected: "batches as large as `count` says" }]
      : []),
  ];
}
