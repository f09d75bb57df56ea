/** From a config's text to what each arm is: every default filled in, every mistake named with its place. */
import type { z } from "zod";
import type { Catalogue, CatalogueEntry } from "../backend/messages.js";
import { BATCHING_RULES, batchingOptions, commonBatchingOptions, recordedOptions } from "../batching/index.js";
import { usageError } from "../errors.js";
import { isRecord } from "../exact-json.js";
import { hintOf } from "../nearest.js";
import { EXPERIMENT_FILES } from "../record/experiment-files.js";
import type { MeasureKind } from "../record/findings-document.js";
import { hashValue } from "../record/hash.js";
import { FILE_NAME } from "../record/run-places.js";
import { SCHEDULES, scheduleOptions } from "../schedules/index.js";
import { type Path, valueAt } from "../schema-mistake.js";
import {
  type ArmSections,
  armSchema,
  datasetReference,
  lossReference,
  modelReference,
  TRAINING_KEYS,
} from "./arm-schema.js";
import { Checker, type Chosen, type Locate } from "./checker.js";
import { type Common, commonSchema } from "./common-schema.js";
import type { ConfigSource } from "./config-source.js";
import { CROSS_ENTROPY } from "./losses.js";
import { type MeantAnew, meantAnew } from "./meant-anew.js";
import { mergeArm, spellAll } from "./merge-arm.js";
import type { OrderSources } from "./order-sources.js";
import { type PlannedComparison, planComparisons } from "./planned-comparisons.js";
import { refuseByBudget } from "./refuse-by-budget.js";
import { type ChosenOrder, type PlannedSeeds, resolveOrder } from "./resolve-order.js";
import { type FixedSeeds, runSeeds } from "./run-seeds.js";
import { refuseTuningSeeds, refuseUntunable, type Tune, tuneOf, withTriedRate } from "./tune.js";

/** What the user brings: `name` is "package.module:callable". */
export interface Imported extends Chosen {
  readonly origin: "import";
}

/** What a config names, ours or the user's. Ours has no origin, so that hashes are those of before there was a choice. */
export type ChosenOrImported = (Chosen & { readonly origin?: undefined }) | Imported;

/** All that determines an arm's numbers, but for the seed and the machine. */
export interface ArmConfig {
  readonly dataset: ChosenOrImported & {
    readonly subset: number | null;
    readonly validation: number;
    /** Absent: both. */
    readonly part?: NonNullable<ArmSections["dataset"]["part"]>;
    /** Absent: one subset for every seed. */
    readonly subsetSeed?: "run";
    /**
     * Of a run that a learning rate is tuned by: this share of what may be trained on is held out, and measured in the
     * place of the test set. No config says it.
     */
    readonly heldOut?: number;
    /** Absent: the labels are the dataset's. */
    readonly labelNoise?: NonNullable<ArmSections["dataset"]["labelNoise"]>;
  };
  readonly model: ChosenOrImported;
  /** Absent: cross-entropy. */
  readonly loss?: ChosenOrImported;
  readonly optimizer: Chosen;
  readonly schedule: Chosen;
  readonly batching: Chosen;
  readonly order: ChosenOrder;
  readonly augmentation: ArmSections["augmentation"];
  readonly precision: ArmSections["precision"];
  readonly microBatch: number | null;
  /** Length of a run; absent where a budget of another kind says it. */
  readonly epochs?: number;
  readonly budget?: NonNullable<ArmSections["budget"]>;
  /** Absent where nothing is. */
  readonly meantAnew?: MeantAnew;
}

export interface ExperimentConfig {
  readonly name: string;
  readonly seeds: readonly number[];
  /** Of what is the same in every run, whatever its seed; absent where nothing is. */
  readonly fixedSeeds?: FixedSeeds;
  readonly baseline: string | undefined;
  /** Those that were planned; the others are exploratory. */
  readonly comparisons: readonly PlannedComparison[];
  /** The one measure that carries verdicts. */
  readonly primary: MeasureKind;
  /** How learning rates are chosen; absent: they are as the config says. */
  readonly tune?: Tune;
  /** Test accuracy whose cost is told; null: the mean that the baseline ends with. */
  readonly targetAccuracy: number | null;
  /** Difference in the primary measure within which two trainings are called equivalent. */
  readonly equivalenceMargin: number | null;
  readonly evaluation: Common["evaluation"];
  readonly record: Common["record"];
  readonly checkpoint: Common["checkpoint"];
  readonly backend: Common["backend"];
  /** What is common to all arms, as far as the config says it: what the experiment's hash is over. */
  readonly base: Readonly<Record<string, unknown>>;
  readonly arms: Readonly<Record<string, ArmConfig>>;
}

/**
 * Checks a config and fills in its defaults. Models, datasets and optimisers are checked against the backend's own
 * catalogue; without one (before a backend is there) they are taken as they are. `orders`: as `OrderSources.load` gives
 * them for this source.
 * @throws IbatchError naming the first mistake: file:line, what was seen, what was expected.
 */
export function resolveConfig(
  source: ConfigSource,
  orders: OrderSources,
  catalogue: Catalogue | undefined,
): ExperimentConfig {
  const { arms: armOverrides, ...rest } = withoutExtensions(source.value);
  const isTraining = ([key]: [string, unknown]) => TRAINING_KEYS.includes(key);
  const base = spellAll(Object.fromEntries(Object.entries(rest).filter(isTraining)));
  const common = Object.fromEntries(Object.entries(rest).filter((entry) => !isTraining(entry)));

  const checker = new Checker((path) => `${source.where(path)}: ${path.join(".")}`);
  const allKeys = [...Object.keys(commonSchema.shape), ...TRAINING_KEYS, "arms"];
  const {
    name,
    seeds,
    baseline: named,
    comparisons,
    tune: wanted,
    ...running
  } = checker.parse(commonSchema, common, { known: allKeys });
  const overrides = checkArmNames(source, armOverrides);
  const { all, fixed: fixedSeeds } = seedsOf(source, seeds);
  const runs = all.map((own) => ({ own, ...runSeeds(own, fixedSeeds) }));
  const tune = wanted ? tuneOf(wanted, running.primary) : undefined;
  if (tune !== undefined) refuseTuningSeeds(checker, tune, all, fixedSeeds);
  refuseTooManyRuns(checker, { arms: overrides.length, seeds: all.length, tune });
  const arms: Record<string, ArmConfig> = {};
  for (const [arm, override] of overrides) {
    const merged = mergeArm(base, override);
    const inArm = new Checker(locateInArm(source, arm, merged));
    arms[arm] = resolveArm(inArm, tune ? withTriedRate(merged, tune) : merged, { orders, catalogue, runs });
    if (tune !== undefined) refuseUntunable(inArm, arm, arms);
  }
  if (running.record.orders === "hash") refuseOrdersThatReadTheLedger(checker, arms);
  const baseline = checkBaseline(source, named, Object.keys(arms));
  return {
    name,
    seeds: all,
    ...(fixedSeeds && { fixedSeeds }),
    baseline,
    comparisons: planComparisons(source, comparisons, { baseline, arms: Object.keys(arms) }),
    ...running,
    evaluation: evaluationOf(running.evaluation),
    ...(tune && { tune }),
    base,
    arms,
  };
}

/** What is as left out is left out, so that it has the hash of a config that does not say it. */
function evaluationOf({ perEpoch = 1, averaged, ...evaluation }: Common["evaluation"]): Common["evaluation"] {
  return { ...evaluation, ...(perEpoch > 1 && { perEpoch }), ...(averaged && { averaged }) };
}

/** Keys that begin with `x-` are the user's own, for anchors. */
const withoutExtensions = (value: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(value).filter(([key]) => !key.startsWith("x-")));

/** Where losses go into an order, it cannot be made again from config and seed alone: a hash would be all there is. */
function refuseOrdersThatReadTheLedger(checker: Checker, arms: Readonly<Record<string, ArmConfig>>): void {
  const reading = Object.entries(arms).find(([, { order }]) => order.ledger !== undefined);
  if (reading === undefined) return;
  const [arm, { order }] = reading;
  throw checker.mistake(
    ["record", "orders"],
    `expected full, for order ${order.name} of arm "${arm}" reads the ledger`,
  );
}

/** Hash of what determines numbers and is common to all runs: not seeds, arms, device, threads or paths. */
export const experimentHash = ({ name, base, evaluation, fixedSeeds, tune }: ExperimentConfig): string =>
  hashValue({ name, base, evaluation, ...(fixedSeeds && { seeds: fixedSeeds }), ...(tune && { tune }) });

/** The same, as a config says it. */
export const determiningSettings = ({
  name,
  base,
  evaluation,
  fixedSeeds,
  tune,
}: ExperimentConfig): Readonly<Record<string, unknown>> => ({
  ...{ name, evaluation },
  ...(fixedSeeds && { seeds: fixedSeeds }),
  ...(tune && { tune }),
  ...base,
});

/** Hash of what determines one arm's numbers: of a whole `RunConfig` it would be another one. */
export const armHash = (
  arm: ArmConfig & { readonly backend?: never },
  evaluation: Common["evaluation"],
  fixedSeeds?: FixedSeeds,
): string => hashValue({ arm, evaluation, ...(fixedSeeds && { seeds: fixedSeeds }) });

/** `file:line: path` of a part of an arm: where the arm says it, or what it completes, or where other arms say it. */
function locateInArm(source: ConfigSource, arm: string, merged: Record<string, unknown>): Locate {
  const says = (path: Path) => valueAt(source.value, path) !== undefined;
  const othersSay = ([section]: Path) =>
    Object.keys(Object(source.value.arms)).some((other) => says(["arms", other, section]));
  return (path) => {
    const inArm = ["arms", arm, ...path];
    const isCommon = says(path) && valueAt(merged, path) !== undefined;
    const isOfOthers = valueAt(merged, path.slice(0, 1)) === undefined && othersSay(path);
    const place = isOfOthers || says(inArm) || (says(inArm.slice(0, 3)) && !isCommon) ? inArm : path;
    return `${source.where(place)}: ${place.join(".")}`;
  };
}

// --- arms

/** A directory has the arm's name. */
const LONGEST_NAME = 200;

function checkArmNames(source: ConfigSource, arms: unknown): [string, Record<string, unknown>][] {
  if (!isRecord(arms) || Object.keys(arms).length === 0) {
    throw usageError(
      `${source.where(["arms"])}: \`arms\` must name at least one arm, as in arms: { shuffled: { order: shuffled } }`,
    );
  }
  return Object.entries(arms).map(([arm, override]) => {
    const at = `${source.where(["arms", arm])}: arm "${arm}"`;
    if (!FILE_NAME.test(arm)) throw usageError(`${at}: expected letters, digits, dots, dashes and underscores`);
    if (arm.length > LONGEST_NAME) throw usageError(`${at}: expected at most ${LONGEST_NAME} characters`);
    if (EXPERIMENT_FILES.includes(arm.toLowerCase()))
      throw usageError(`${at}: the run directory has something of its own under that name`);
    const alike = Object.keys(arms).find((name) => name !== arm && name.toLowerCase() === arm.toLowerCase());
    if (alike !== undefined)
      throw usageError(`${at}: arm "${alike}" differs in capitals alone, and some disks have one directory for both`);
    if (override !== null && !isRecord(override)) {
      throw usageError(
        `${at}: expected a map of what differs, as in { order: shuffled }, not ${JSON.stringify(override)}`,
      );
    }
    return [arm, override ?? {}];
  });
}

interface ResolvedWith {
  readonly orders: OrderSources;
  readonly catalogue: Catalogue | undefined;
  readonly runs: readonly PlannedSeeds[];
}

function resolveArm(checker: Checker, merged: Record<string, unknown>, resolvedWith: ResolvedWith): ArmConfig {
  const { catalogue } = resolvedWith;
  const sections = checker.parse(armSchema, spellAll(merged));
  const { subset, validation, part, subsetSeed, labelNoise, ...dataset } = sections.dataset;
  if (subsetSeed === "run" && subset === null) {
    throw checker.mistake(
      ["dataset", "subsetSeed"],
      "run: expected dataset.subset, for there is nothing to draw without",
    );
  }
  const model = imported(checker, "model", modelReference, sections.model);
  const loss = lossOf(checker, sections.loss);
  const batching = split(sections.batching);
  const rule = checker.find("batching", BATCHING_RULES, batching.name);
  const sizes = withRatesOf(checker, checker.parse(batchingOptions(rule), batching.options, { at: ["batching"] }));
  const chosenBatching = { name: batching.name, options: sizes };
  refuseByBudget(checker, sections, chosenBatching);
  const meant = meantAnew(sections, chosenBatching);
  const schedule = split(sections.schedule);
  const scheduleDefinition = checker.find("schedule", SCHEDULES, schedule.name);
  const fromCatalogue = (
    key: "dataset" | "model" | "optimizer",
    entries: readonly CatalogueEntry[] | undefined,
    given: Named,
  ) => {
    const chosen = split(given);
    return entries === undefined
      ? chosen
      : checker.catalogued(
          key,
          entries,
          chosen,
          key === "dataset" ? ["subset", "validation", "part", "subsetSeed", "labelNoise"] : [],
        );
  };
  return {
    dataset: {
      ...(imported(checker, "dataset", datasetReference, dataset) ??
        fromCatalogue("dataset", catalogue?.datasets, dataset)),
      subset,
      validation,
      ...(part && { part }),
      ...(subsetSeed === "run" && { subsetSeed }),
      ...(labelNoise && { labelNoise }),
    },
    model: model ?? fromCatalogue("model", catalogue?.models, sections.model),
    ...(loss && { loss }),
    optimizer: fromCatalogue("optimizer", catalogue?.optimizers, sections.optimizer),
    schedule: {
      name: schedule.name,
      options: checker.parse(scheduleOptions(scheduleDefinition), schedule.options, { at: ["schedule"] }),
    },
    batching: {
      name: batching.name,
      options: recordedOptions(sizes),
    },
    order: resolveOrder(checker, sections, resolvedWith),
    augmentation: sections.augmentation,
    precision: sections.precision,
    microBatch: sections.microBatch,
    ...(sections.epochs !== undefined && { epochs: sections.epochs }),
    ...(sections.budget && { budget: sections.budget }),
    ...(meant && { meantAnew: meant }),
  };
}

const ratesOf = commonBatchingOptions.pick({ ratesOf: true });

/** The other rule of which rates are, checked with its own options and no others. */
function withRatesOf(checker: Checker, options: Record<string, unknown>): Record<string, unknown> {
  const { ratesOf: section } = ratesOf.parse({ ratesOf: options.ratesOf });
  if (section === undefined) return options;
  const at = ["batching", "ratesOf"];
  if (options.learningRate === "none") {
    throw checker.mistake(
      ["batching", "learningRate"],
      "expected linear or sqrt with ratesOf: with none rates are as scheduled",
    );
  }
  const { name, options: given } = split(section);
  const rule = checker.find("batching.ratesOf", BATCHING_RULES, name);
  return { ...options, ratesOf: { name, ...checker.parse(rule.options, given, { at }) } };
}

interface Named {
  readonly name?: string | undefined;
  readonly [option: string]: unknown;
}

const split = ({ name = "", ...options }: Named): Chosen => ({ name, options });

/** A section by reference, checked; undefined where it names something of ours. */
function imported<T extends { readonly reference: string }>(
  checker: Checker,
  key: string,
  schema: z.ZodType<T>,
  section: Named,
): Imported | undefined {
  return section.reference === undefined ? undefined : importedAs(checker.parse(schema, section, { at: [key] }));
}

/** Undefined: cross-entropy as it is where nothing is said, so that it has that hash. */
function lossOf(checker: Checker, section: ArmSections["loss"]): ChosenOrImported | undefined {
  if (section === undefined) return undefined;
  const own = imported(checker, "loss", lossReference, section);
  if (own !== undefined) return own;
  const options = checker.parse(CROSS_ENTROPY.options, split(section).options, { at: ["loss"] });
  return options.labelSmoothing === 0 ? undefined : { name: CROSS_ENTROPY.name, options };
}

const importedAs = ({ reference, ...options }: { readonly reference: string }): Imported => ({
  origin: "import",
  name: reference,
  options,
});

interface Seeds {
  readonly all: readonly number[];
  readonly fixed: FixedSeeds | undefined;
}

function seedsOf(source: ConfigSource, said: Common["seeds"]): Seeds {
  const isApart = typeof said === "object" && "count" in said;
  const { count, ...given } = isApart ? said : { count: said };
  const all = typeof count === "number" ? Array.from({ length: count }, (_, at) => at) : checkSeeds(source, count);
  const fixed: FixedSeeds = Object.fromEntries(Object.entries(given).filter(([, seed]) => seed !== undefined));
  return { all, fixed: Object.keys(fixed).length === 0 ? undefined : fixed };
}

function checkSeeds(source: ConfigSource, seeds: readonly number[]): readonly number[] {
  const twice = seeds.find((seed, at) => seeds.indexOf(seed) !== at);
  if (twice !== undefined) throw usageError(`${source.where(["seeds"])}: seeds names ${twice} twice`);
  return seeds;
}

/** Each is kept in memory, and has a directory. */
const MAX_RUNS = 100_000;

function refuseTooManyRuns(
  checker: Checker,
  { arms, seeds, tune }: { readonly arms: number; readonly seeds: number; readonly tune: Tune | undefined },
): void {
  const refuse = (key: "seeds" | "tune", runs: number, what: string) => {
    if (runs > MAX_RUNS)
      throw checker.mistake([key], `${what} are ${runs} runs, expected at most ${MAX_RUNS}: lower one`);
  };
  refuse("seeds", arms * seeds, `${arms} arms × ${seeds} seeds`);
  if (tune === undefined) return;
  const { length: rates } = tune.learningRate;
  refuse("tune", arms * rates * tune.seeds, `${arms} arms × ${rates} rates × ${tune.seeds} seeds`);
}

function checkBaseline(
  source: ConfigSource,
  baseline: string | undefined,
  arms: readonly string[],
): string | undefined {
  if (baseline === undefined) return arms.find((arm) => arm === "shuffled");
  if (arms.includes(baseline)) return baseline;
  throw usageError(`${source.where(["baseline"])}: baseline: no arm "${baseline}"; ${hintOf(baseline, arms)}`);
}
