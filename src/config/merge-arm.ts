/** An arm over what is common to all. */
import { isRecord } from "../exact-json.js";
import { ORDER_ORIGINS } from "../orders/ledger-options.js";
import { spellNamed } from "./named-section.js";

/** The common sections with the arm's own: a section of the same name is completed, one of another name replaced. */
export function mergeArm(base: Record<string, unknown>, override: Record<string, unknown>): Record<string, unknown> {
  const own = spellAll(override);
  const saysLength = LENGTHS.some((key) => own[key] !== undefined);
  const merged = Object.fromEntries(Object.entries(base).filter(([key]) => !(saysLength && LENGTHS.includes(key))));
  for (const [key, value] of Object.entries(own)) {
    const below = spellNamed(key, merged[key]);
    merged[key] = isRecord(below) && isRecord(value) && completes(value, below) ? { ...below, ...value } : value;
  }
  return merged;
}

/** Whether a section says more of what the one below it names, and names nothing else. */
const completes = (section: Record<string, unknown>, below: Record<string, unknown>): boolean =>
  [...ORDER_ORIGINS, "reference"].every((key) => section[key] === undefined || section[key] === below[key]);

/** A length replaces one of the other kind. */
export const LENGTHS = ["epochs", "budget"];

export const spellAll = (sections: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(sections).map(([key, value]) => spellLength(key, spellNamed(key, value))));

/** `budget: { epochs: N }` is `epochs: N`, for hashes too. */
function spellLength(key: string, value: unknown): [string, unknown] {
  const isOfEpochs = key === "budget" && isRecord(value) && Object.keys(value).join() === "epochs";
  return isOfEpochs ? ["epochs", value.epochs] : [key, value];
}
