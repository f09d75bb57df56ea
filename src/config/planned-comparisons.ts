/** Which arms were to be compared with which, as the config says before anything is seen. */
import { usageError } from "../errors.js";
import { hintOf } from "../nearest.js";
import type { Common } from "./common-schema.js";
import type { ConfigSource } from "./config-source.js";

/** `arm` minus `with`, seed by seed. */
export interface PlannedComparison {
  readonly arm: string;
  readonly with: string;
}

/** @throws IbatchError naming the first entry that names no arm, an arm with itself, or what another one named. */
export function planComparisons(
  source: ConfigSource,
  said: Common["comparisons"],
  { baseline, arms }: { readonly baseline: string | undefined; readonly arms: readonly string[] },
): PlannedComparison[] {
  if (said === "all") {
    return baseline === undefined ? [] : arms.filter((arm) => arm !== baseline).map((arm) => ({ arm, with: baseline }));
  }
  const planned: PlannedComparison[] = [];
  for (const [at, entry] of said.entries()) {
    const mistake = (what: string) => usageError(`${source.where(["comparisons", at])}: comparisons: ${what}`);
    const comparison = typeof entry === "string" ? { arm: entry, with: baseline } : entry;
    if (comparison.with === undefined) {
      throw mistake(
        `there is no baseline to compare ${comparison.arm} with: name one (baseline: …), or { arm: a, with: b }`,
      );
    }
    const { arm, with: other } = comparison;
    const unknown = [arm, other].find((name) => !arms.includes(name));
    if (unknown !== undefined) throw mistake(`no arm "${unknown}"; ${hintOf(unknown, arms)}`);
    if (arm === other) throw mistake(`${arm} is compared with itself${arm === baseline ? ": it is the baseline" : ""}`);
    if (planned.some((one) => one.arm === arm && one.with === other))
      throw mistake(`${arm} with ${other} stands twice`);
    planned.push({ arm, with: other });
  }
  return planned;
}
