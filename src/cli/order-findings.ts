/** The laws that an order breaks, each fault told once, however many cases show it. */
import type { Finding } from "../orders/conformance.js";
import { CASES } from "../orders/conformance-cases.js";

/** `setsOfOptions`: how many were tried on each case. */
export function renderFindings(findings: readonly Finding[], setsOfOptions: number): string {
  const faults = new Map<string, Finding[]>();
  for (const finding of findings) {
    const alike = faults.get(kindOf(finding));
    if (alike === undefined) faults.set(kindOf(finding), [finding]);
    else alike.push(finding);
  }
  return [...faults.values()].map((alike) => renderFault(alike, setsOfOptions)).join("\n");
}

/** What is seen of a broken law has other numbers in each case; what is thrown tells faults apart. */
const kindOf = ({ law, seen }: Finding): string =>
  law === "it returns without an error" ? `${law}: ${seen.replace(/\d+/g, "0")}` : law;

function renderFault(alike: readonly Finding[], setsOfOptions: number): string {
  const [{ law, case: example, options, seen, expected }] = alike;
  const where = `${example}, options ${JSON.stringify(options)}`;
  const on = CASES.some(({ name }) => name === example)
    ? `${often(alike, setsOfOptions)}, first: ${where}`
    : `on: ${where}`;
  return `  ${law}\n    ${on}\n    seen: ${seen}\n    expected: ${expected}\n`;
}

function often(alike: readonly Finding[], setsOfOptions: number): string {
  const cases = new Set(alike.map((finding) => finding.case)).size;
  const sets = new Set(alike.map(({ options }) => JSON.stringify(options))).size;
  const among = setsOfOptions === 1 ? "" : `, with ${sets} of ${setsOfOptions} sets of options`;
  return `in ${cases} of ${CASES.length} cases${among}`;
}
