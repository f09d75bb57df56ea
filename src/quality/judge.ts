/** Judges sequences of indices by what is known of uniform shuffles. */
import { notEachOnce } from "./each-once.js";
import { repeats, repeatText } from "./equal-sequences.js";
import { correlations } from "./pairs.js";
import type { Outcome, Sequences, Skipped, Test } from "./sequences.js";
import { spreads } from "./spread.js";
import { steps } from "./steps.js";
import { holm } from "./tails.js";

/** Less than that cannot be told apart from chance by the approximations that the p-values rest on. */
const LEAST_LENGTH = 100;
/** The share of uniform shuffles of which anything is said, all tests of a call together. */
const LEVEL = 0.05;

export interface Judgement {
  /** Sequences that miss or repeat an index, in words. */
  readonly notEachOnce: readonly string[];
  /** Sequences that equal an earlier one, in words. */
  readonly equal: readonly string[];
  readonly tests: readonly (Test & { readonly holm: number })[];
  readonly skipped: readonly Skipped[];
  /** What is off, by name: nothing of what cannot be told apart from a uniform shuffle. */
  readonly off: readonly string[];
}

export function judge(sequences: Sequences): Judgement {
  const equal = repeats(sequences);
  // What is said of a sequence would count twice if it were looked at again.
  const again = new Set(equal.filter(({ turnedBy }) => turnedBy === 0).map(({ sequence }) => sequence));
  const outcomes = testAll({ ...sequences, all: sequences.all.filter((sequence) => !again.has(sequence)) });
  const found = outcomes.filter(isTest);
  const corrected = holm(found.map(({ p }) => p));
  const tests = found.map((test, at) => ({ ...test, holm: corrected[at] }));
  const missing = notEachOnce(sequences);
  return {
    notEachOnce: missing,
    equal: equal.map(repeatText),
    tests,
    skipped: outcomes.filter((outcome): outcome is Skipped => !isTest(outcome)),
    off: [
      ...(missing.length > 0 ? ["not each index once"] : []),
      ...(equal.length > 0 ? ["equal sequences"] : []),
      ...tests.filter((test) => test.holm < LEVEL).map(({ name }) => name),
    ],
  };
}

function testAll(sequences: Sequences): Outcome[] {
  if (sequences.all.some(({ indices }) => indices.length < LEAST_LENGTH)) {
    return [{ name: "tests", why: `an epoch has fewer than ${LEAST_LENGTH} indices` }];
  }
  return [...spreads(sequences), ...steps(sequences), ...correlations(sequences)];
}

const isTest = (outcome: Outcome): outcome is Test => "p" in outcome;
