/** A note where arms spend more or less work than others: what differs between them may come of that. */
import { type ArmMeasures, LENGTH_KINDS, type LengthKind, type Measures } from "./measures.js";

export const UNEQUAL_WORK = "Unequal work";
const MAY_BE_WORK = "A difference between such arms may be one of work";

/** Undefined where all arms have one budget of forward-equivalents, or cost as much. */
export function unequalWorkNote({ arms, baseline }: Measures): string | undefined {
  const common = commonKind(arms);
  if (common === "forwardEquivalents") return undefined;
  const costs = arms.flatMap(({ arm, saving }) => (saving ? [{ arm, ratio: saving.forwardEquivalents.mean }] : []));
  if (costs.length === 0) return withoutCosts(arms, common);
  const others = costs.filter(({ ratio }) => Math.abs(ratio - 1) > SAME_COST);
  if (others.length === 0) return undefined;
  const each = grouped(others.map(({ arm, ratio }) => [ratio.toFixed(3), arm]));
  return `${UNEQUAL_WORK}: whole runs cost so much of what those of ${baseline} cost, in forward-equivalents: ${each}. ${MAY_BE_WORK}: ${adviceOn(arms, common)}`;
}

/** Two costs as far apart count as one. */
const SAME_COST = 0.01;

const kindOf = ({ length }: ArmMeasures): LengthKind =>
  LENGTH_KINDS.find((kind) => length[kind] !== undefined) ?? "epochs";

/** What all arms have as much of; undefined where lengths differ. */
const commonKind = (arms: readonly ArmMeasures[]): LengthKind | undefined =>
  new Set(arms.map(lengthText)).size > 1 ? undefined : arms.map(kindOf).at(0);

function adviceOn(arms: readonly ArmMeasures[], common: LengthKind | undefined): string {
  if (common === "updates" || common === "samples") {
    return `arms are equal in ${common}, not in cost, which a \`budget\` of forwardEquivalents makes alike`;
  }
  return arms.map(kindOf).every((kind) => kind === "epochs")
    ? "`budget` in the config makes arms cost alike"
    : "one `budget` of forwardEquivalents for all arms makes them cost alike";
}

function withoutCosts(arms: readonly ArmMeasures[], common: LengthKind | undefined): string | undefined {
  if (common === undefined) return arms.length === 0 ? undefined : unequalLengths(arms);
  return common === "epochs" ? unequalEpochs(arms) : undefined;
}

function unequalLengths(arms: readonly ArmMeasures[]): string {
  const each = grouped(arms.map((arm) => [lengthText(arm), arm.arm]));
  return `${UNEQUAL_WORK}: runs have other lengths: ${each}. ${MAY_BE_WORK}`;
}

function lengthText(arm: ArmMeasures): string {
  const kind = kindOf(arm);
  const amount = arm.length[kind] ?? 0;
  return `${whole(amount)} ${amount === 1 ? kind.slice(0, -1) : kind}`;
}

function unequalEpochs(arms: readonly ArmMeasures[]): string | undefined {
  const works = arms.flatMap(({ arm, epochSamples }): [string, string][] => {
    if (epochSamples === null) return [];
    const { least, most } = epochSamples;
    return [[least === most ? whole(least) : `${whole(least)} to ${whole(most)}`, arm]];
  });
  if (new Set(works.map(([work]) => work)).size < 2) return undefined;
  return `${UNEQUAL_WORK}: an epoch is so many samples: ${grouped(works)}. ${MAY_BE_WORK}`;
}

/** `what in arm, arm; what in arm`. */
function grouped(all: readonly (readonly [what: string, arm: string])[]): string {
  const arms = new Map<string, string[]>();
  for (const [what, arm] of all) arms.set(what, [...(arms.get(what) ?? []), arm]);
  return [...arms].map(([what, names]) => `${what} in ${names.join(", ")}`).join("; ");
}

const whole = (value: number): string => value.toLocaleString("en-US");
