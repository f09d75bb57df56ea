/** Learning rates that are tuned: what is tried, with which seeds, and which arms cannot be tuned. */
import { isRecord } from "../exact-json.js";
import type { MeasureKind } from "../record/findings-document.js";
import { hashValue } from "../record/hash.js";
import type { Checker } from "./checker.js";
import type { Common } from "./common-schema.js";
import type { ArmConfig } from "./config.js";
import { spellNamed } from "./named-section.js";
import { type FixedSeeds, RANDOM_SOURCES } from "./run-seeds.js";

export interface Tune {
  /** Ascending. */
  readonly learningRate: readonly number[];
  /** How many runs each rate has. */
  readonly seeds: number;
  /** Share of what may be trained on that is held out meanwhile. */
  readonly validation: number;
  /** By which the best rate is chosen: the primary one. */
  readonly measure: MeasureKind;
}

/** Another sequence of the same rates is the same tuning. */
export const tuneOf = ({ learningRate, ...rest }: NonNullable<Common["tune"]>, measure: MeasureKind): Tune => ({
  learningRate: learningRate.toSorted((a, b) => a - b),
  ...rest,
  measure,
});

const FIRST_TUNING_SEED = 1_000_000;

/** The same whatever seeds are under test, so that more of these change no rate. */
export const tuningSeeds = ({ seeds }: Pick<Tune, "seeds">): readonly number[] =>
  Array.from({ length: seeds }, (_, at) => FIRST_TUNING_SEED + at);

/** @throws IbatchError where a seed under test, or one that is fixed for them, is one that rates are tuned with. */
export function refuseTuningSeeds(
  checker: Checker,
  tune: Tune,
  seeds: readonly number[],
  fixed: FixedSeeds = {},
): void {
  const tuning = tuningSeeds(tune);
  const tested = seeds.map((seed) => ({ path: ["seeds"], seed }));
  const kept = RANDOM_SOURCES.map((source) => ({ path: ["seeds", source], seed: fixed[source] }));
  const both = [...tested, ...kept].find(({ seed }) => seed !== undefined && tuning.includes(seed));
  if (both === undefined) return;
  throw checker.mistake(
    both.path,
    `${both.seed} is one that learning rates are tuned with (${tuning[0]} … ${tuning.at(-1)}): take another one`,
  );
}

/** An arm's sections with a rate of those that are tried in the place of its own, which it need not have. */
export function withTriedRate(sections: Record<string, unknown>, { learningRate }: Tune): Record<string, unknown> {
  const schedule = spellNamed("schedule", sections.schedule);
  return isRecord(schedule) ? { ...sections, schedule: { ...schedule, learningRate: learningRate[0] } } : sections;
}

export const withRate = (arm: ArmConfig, learningRate: number): ArmConfig => ({
  ...arm,
  schedule: { ...arm.schedule, options: { ...arm.schedule.options, learningRate } },
});

/** As long as nothing is chosen. */
export function withoutRate(arm: ArmConfig): ArmConfig {
  const { learningRate, ...options } = arm.schedule.options;
  return { ...arm, schedule: { ...arm.schedule, options } };
}

/** `arms`: this one and those before it. @throws IbatchError naming the arm, and what to do. */
export function refuseUntunable(checker: Checker, name: string, arms: Readonly<Record<string, ArmConfig>>): void {
  const { order, dataset } = arms[name];
  const [[first, { dataset: firsts }]] = Object.entries(arms);
  const untunable = [
    {
      is: order.replay !== undefined,
      path: ["order", "replay"],
      why: `replays a run that trained on the samples on which learning rates are tuned: ${LEAVE_OUT}`,
    },
    {
      is: order.from !== undefined,
      path: ["order", "from"],
      why: `chooses by runs that knew the samples on which learning rates are tuned: ${LEAVE_OUT}`,
    },
    {
      is: dataset.subsetSeed === "run",
      path: ["dataset", "subsetSeed"],
      why: "has other samples for each seed, and learning rates are tuned on one part of them for all: with tune take fixed",
    },
    {
      is: samplesHash(dataset) !== samplesHash(firsts),
      path: ["dataset"],
      why:
        `has another dataset section than arm "${first}", so no part would be the same for both: with tune all arms take ` +
        "the same samples",
    },
  ].find(({ is }) => is);
  if (untunable !== undefined) throw checker.mistake(untunable.path, `arm "${name}" ${untunable.why}`);
}

const LEAVE_OUT = "with tune leave it out, or give each arm its learningRate and leave tune out";

/** Of which samples they are; wrong labels are of no matter, since all is measured by right ones. */
const samplesHash = ({ labelNoise, ...samples }: ArmConfig["dataset"]): string => hashValue(samples);
