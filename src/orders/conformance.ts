/**
 * The laws that every order keeps, tried on cases that break careless ones. `checkOrder` finds faults and returns
 * them as data: the tests run it on every file of this folder, `ibatch order --check` on a user's own.
 */
import { z } from "zod";
import { CaseCheck, type Finding, type Law } from "./case-check.js";
import { CASES } from "./conformance-cases.js";
import type { OrderDefinition } from "./contract.js";
import { asking, type Declared, declaredBy, deviates, errorText, unknownWords } from "./declared.js";
import { unknownMembers } from "./definition-check.js";
import { IN_A_ROW, keptInOneInstance } from "./kept-outside.js";
import { optionCombinations } from "./option-combinations.js";

export type { Finding, Law };

/**
 * All faults of an order; none when it keeps the laws. Without a list, `optionCombinations` says what is tried. Of what an
 * order keeps outside of its memory one instance shows not all: `ibatch order --check` asks a fresh one, too. `onCase` is
 * told the place among the cases of the one that is tried next.
 */
export function checkOrder<Options>(
  definition: OrderDefinition<Options>,
  optionsList?: readonly Options[],
  onCase: (at: number) => void = () => {},
): Finding[] {
  const { name: order, deviation, readsLedger } = definition;
  const findings: Finding[] = [];
  const addOfDefinition = (law: Law, seen: string, expected: string, options: unknown = {}) =>
    findings.push({ order, case: "definition", options, law, seen, expected });

  const [unknownMember] = unknownMembers(definition);
  if (unknownMember !== undefined) {
    addOfDefinition("the definition has no other members", unknownMember, "the members that docs/ORDERS.md lists");
  }
  const tried: WithOptions<Options>[] = [];
  let asked: unknown = {};
  try {
    const list = optionsList ?? asking("options", () => optionCombinations(definition.options));
    const mistake = optionsList === undefined ? asking("options", () => mistakeOfDefaults(definition)) : undefined;
    if (mistake !== undefined) {
      const expected = "options that are valid when left out, or a list of options to check with";
      addOfDefinition("every option has a default", mistake, expected);
    }
    for (const options of list) {
      asked = options;
      tried.push({ options, declared: declaredBy(definition, options) });
    }
  } catch (error) {
    addOfDefinition("it returns without an error", errorText(error), "an answer for every set of options", asked);
    return findings;
  }
  if (tried.some(({ declared }) => deviates(declared)) && !deviation) {
    const expected =
      '`deviation: "…"`, a sentence that says why samples do not come once each, or why an epoch or a seed changes nothing';
    addOfDefinition("a deviation has its reason", "no `deviation`", expected);
  }
  const unknown = tried.flatMap(({ declared }) => unknownWords(declared)).at(0);
  if (unknown !== undefined) {
    addOfDefinition("coverage, share and signals are known", unknown.seen, unknown.expected);
    return findings;
  }

  if (definition.changesObjective === undefined && tried.some(({ declared }) => declared.coverage !== "each-once")) {
    const expected =
      "`changesObjective: () => true` where some samples are likelier than others and no weights make up for it, else " +
      "`changesObjective: () => false`";
    addOfDefinition(
      "another objective is declared",
      "no `changesObjective`, and samples do not come once each",
      expected,
    );
  }

  let ledgerMattered = false;
  for (const { options, declared } of tried) {
    for (const [at, example] of CASES.entries()) {
      onCase(at);
      const check = new CaseCheck(definition, options, declared, example);
      findings.push(...check.findings());
      ledgerMattered ||= check.ledgerMattered;
    }
  }
  findings.push(...firstKept(definition, tried, findings));
  // Who has candidates scored may look at nothing else, and at nothing of the scores: a control of equal cost.
  const looksNowhere = !ledgerMattered && !tried.some(({ declared }) => declared.scoresCandidates);
  if (readsLedger && looksNowhere && findings.length === 0) {
    findings.push({
      order,
      case: "all",
      options: {},
      law: "the ledger is read when declared",
      seen: "the same bits with every ledger",
      expected: "another result with another ledger, or readsLedger: false",
    });
  }
  return withoutConsequences(findings);
}

/** With the first set of options with which something is kept; nothing where equal inputs give other bits anyway. */
function firstKept<Options>(
  definition: OrderDefinition<Options>,
  tried: readonly WithOptions<Options>[],
  findings: readonly Finding[],
): Finding[] {
  if (findings.some(isCause)) return [];
  for (const { options, declared } of tried) {
    const seen = keptInOneInstance(definition, options, declared);
    if (seen !== undefined) return [keptOutside(definition, options, seen)];
  }
  return [];
}

/** The fault of an order that keeps something outside of its memory. */
export const keptOutside = ({ name }: Pick<OrderDefinition, "name">, options: unknown, seen: string): Finding => ({
  order: name,
  case: IN_A_ROW,
  options,
  law: "what is kept is in memory",
  seen: `${seen}, with the same ledger and memory`,
  expected:
    "the same: a run that goes on starts the order anew. What it keeps from one to the next belongs into `memory`, and " +
    "nothing into variables outside of it",
});

/** Where equal inputs do not give equal bits, what other inputs give says nothing. */
function withoutConsequences(findings: readonly Finding[]): Finding[] {
  return findings.some(isCause) ? findings.filter(({ law }) => !COMPARISONS.includes(law)) : [...findings];
}

const CAUSES: readonly Law[] = ["same inputs, same bits", "what is kept is in memory"];
const isCause = ({ law }: Finding): boolean => CAUSES.includes(law);
const COMPARISONS: readonly Law[] = [
  "the ledger is read only when declared",
  "the ledger is read when declared",
  "signals are read only when declared",
  "epochs differ as declared",
  "seeds differ as declared",
  "(seed 0, epoch 1) is not (seed 1, epoch 0)",
];

function mistakeOfDefaults({ options }: Pick<OrderDefinition, "options">): string | undefined {
  const { error } = options.safeParse({});
  return error && z.prettifyError(error);
}

interface WithOptions<Options> {
  readonly options: Options;
  readonly declared: Declared;
}
