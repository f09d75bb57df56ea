/** From which weights runs started: with other seeds from others, with equal seeds from equal ones, or not. */
import { STARTS_ALIKE } from "../experiment/other-code.js";
import type { RunDocument } from "../record/run-document.js";

interface Started {
  readonly arm: string;
  readonly seed: number;
  /** Undefined where it is not read. */
  readonly document: Pick<RunDocument, "surroundings" | "seeds"> | undefined;
}

const weightsOf = ({ document }: Started): string | undefined => document?.surroundings?.initialWeightsSha256;

/** A note where several seeds of an arm started from equal weights; undefined where none did. */
export function equalWeightsNote(runs: readonly Started[]): string | undefined {
  const alike = runs.filter((run) =>
    runs.some((other) => isOtherSeed(run, other) && weightsOf(run) === weightsOf(other)),
  );
  const arms = [...new Set(alike.filter((run) => weightsOf(run) !== undefined).map(({ arm }) => arm))];
  if (arms.length === 0) return undefined;
  return `Seeds of ${arms.join(", ")} ${STARTS_ALIKE}, and intervals and p say nothing about other initial weights`;
}

const isOtherSeed = (run: Started, other: Started): boolean =>
  run.arm === other.arm && modelSeed(run) !== modelSeed(other);

const modelSeed = ({ seed, document }: Started): number => document?.seeds?.model ?? seed;

/** From which weights runs of one seed started, in words, as far as is on record. */
export function startsText(runs: readonly Started[]): string {
  if (!startsAreEqual(runs)) return "arms differ in where equal seeds start";
  const seeds = new Set(runs.filter((run) => weightsOf(run) !== undefined).map(({ seed }) => seed));
  const weights = new Set(runs.flatMap((run) => weightsOf(run) ?? []));
  return seeds.size > 1 && weights.size === 1
    ? "all seeds start from equal weights"
    : "equal seeds start from equal weights";
}

const startsAreEqual = (runs: readonly Started[]): boolean =>
  runs.every((run) => {
    const others = runs.filter((other) => other.seed === run.seed && weightsOf(other) !== undefined);
    return weightsOf(run) === undefined || others.every((other) => weightsOf(other) === weightsOf(run));
  });
