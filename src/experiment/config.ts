/** From a config's text to what each arm is: every default filled in, every mistake named with its place. */
import type { z } from "zod";
import type { Catalogue, CatalogueEntry } from "../backend/messages.js";
import { BATCHING_RULES } from "../batching/index.js";
import { usageError } from "../errors.js";
import { findOrder, ORDERS } from "../orders/index.js";
import { EXPERIMENT_FILES } from "../record/experiment-record.js";
import { hashValue } from "../record/hash.js";
import { SCHEDULES, scheduleOptions } from "../schedules/index.js";
import { Checker, type Chosen, type Locate, valueAt } from "./checker.js";
import { type ConfigSource, isNamedSection, isRecord, type Path } from "./config-source.js";
import { type ArmSections, armSchema, type Common, commonSchema, FILE_NAME, TRAINING_KEYS } from "./schema.js";

/** All that determines an arm's numbers, but for the seed and the machine. */
export interface ArmConfig {
  readonly dataset: Chosen & { readonly subset: number | null; readonly validation: number };
  readonly model: Chosen;
  readonly optimizer: Chosen;
  readonly schedule: Chosen;
  readonly batching: Chosen;
  readonly order: Chosen;
  readonly augmentation: ArmSections["augmentation"];
  readonly precision: ArmSections["precision"];
  readonly epochs: number;
}

export interface ExperimentConfig {
  readonly name: string;
  readonly seeds: readonly number[];
  readonly baseline: string | undefined;
  readonly evaluation: Common["evaluation"];
  readonly record: Common["record"];
  readonly backend: Common["backend"];
  /** What is common to all arms, as far as the config says it: what the experiment's hash is over. */
  readonly base: Readonly<Record<string, unknown>>;
  readonly arms: Readonly<Record<string, ArmConfig>>;
}

/**
 * Checks a config and fills in its defaults. Models, datasets and optimisers are checked against the backend's own
 * catalogue; without one (before a backend is there) they are taken as they are.
 * @throws IbatchError naming the first mistake: file:line, what was seen, what was expected.
 */
export function resolveConfig(source: ConfigSource, catalogue?: Catalogue): ExperimentConfig {
  const { arms: armOverrides, ...rest } = source.value;
  const isTraining = ([key]: [string, unknown]) => TRAINING_KEYS.includes(key);
  const base = spellAll(Object.fromEntries(Object.entries(rest).filter(isTraining)));
  const common = Object.fromEntries(Object.entries(rest).filter((entry) => !isTraining(entry)));

  const checker = new Checker((path) => `${source.where(path)}: ${path.join(".")}`);
  const allKeys = [...Object.keys(commonSchema.shape), ...TRAINING_KEYS, "arms"];
  const { name, seeds, baseline, ...running } = checker.parse(commonSchema, common, { known: allKeys });
  const overrides = checkArmNames(source, armOverrides);
  const arms: Record<string, ArmConfig> = {};
  for (const [arm, override] of overrides) {
    const merged = mergeArm(base, override);
    arms[arm] = resolveArm(new Checker(locateInArm(source, arm, merged)), merged, catalogue);
  }
  if (running.record.orders === "hash") refuseOrdersThatReadTheLedger(checker, arms);
  return {
    name,
    seeds: typeof seeds === "number" ? Array.from({ length: seeds }, (_, at) => at) : checkSeeds(source, seeds),
    baseline: checkBaseline(source, baseline, Object.keys(arms)),
    ...running,
    base,
    arms,
  };
}

/** Where losses go into an order, it cannot be made again from config and seed alone: a hash would be all there is. */
function refuseOrdersThatReadTheLedger(checker: Checker, arms: Readonly<Record<string, ArmConfig>>): void {
  const reading = Object.entries(arms).find(([, { order }]) => findOrder(order.name).readsLedger);
  if (reading === undefined) return;
  const [arm, { order }] = reading;
  throw checker.mistake(
    ["record", "orders"],
    `expected full, for order ${order.name} of arm "${arm}" reads the ledger`,
  );
}

/** Hash of what determines numbers and is common to all runs: not seeds, arms, device, threads or paths. */
export const experimentHash = ({ name, base, evaluation }: ExperimentConfig): string =>
  hashValue({ name, base, evaluation });

/** Hash of what determines one arm's numbers. */
export const armHash = (arm: ArmConfig, evaluation: Common["evaluation"]): string => hashValue({ arm, evaluation });

/** `file:line: path` of a part of an arm: where the arm says it, or what it completes. */
function locateInArm(source: ConfigSource, arm: string, merged: Record<string, unknown>): Locate {
  const says = (path: Path) => valueAt(source.value, path) !== undefined;
  return (path) => {
    const inArm = ["arms", arm, ...path];
    const isCommon = says(path) && valueAt(merged, path) !== undefined;
    const place = says(inArm) || (says(inArm.slice(0, 3)) && !isCommon) ? inArm : path;
    return `${source.where(place)}: ${place.join(".")}`;
  };
}

// --- arms

function checkArmNames(source: ConfigSource, arms: unknown): [string, Record<string, unknown>][] {
  if (!isRecord(arms) || Object.keys(arms).length === 0) {
    throw usageError(
      `${source.where(["arms"])}: \`arms\` must name at least one arm, as in arms: { shuffled: { order: shuffled } }`,
    );
  }
  return Object.entries(arms).map(([arm, override]) => {
    const at = `${source.where(["arms", arm])}: arm "${arm}"`;
    if (!FILE_NAME.test(arm)) throw usageError(`${at}: expected letters, digits, dots, dashes and underscores`);
    if (EXPERIMENT_FILES.includes(arm)) throw usageError(`${at}: a file of the run directory is called that`);
    if (override !== null && !isRecord(override)) {
      throw usageError(
        `${at}: expected a map of what differs, as in { order: shuffled }, not ${JSON.stringify(override)}`,
      );
    }
    return [arm, override ?? {}];
  });
}

/** The common sections with the arm's own: a section of the same name is completed, one of another name replaced. */
export function mergeArm(base: Record<string, unknown>, override: Record<string, unknown>): Record<string, unknown> {
  const merged = { ...base };
  for (const [key, value] of Object.entries(spellAll(override))) {
    const below = spell(key, base[key]);
    const complete = isRecord(below) && isRecord(value) && (value.name === undefined || value.name === below.name);
    merged[key] = complete ? { ...below, ...value } : value;
  }
  return merged;
}

/** `order: frozen` spelled out as `order: { name: frozen }`. */
const spell = (key: string, value: unknown): unknown =>
  isNamedSection(key) && typeof value === "string" ? { name: value } : value;

const spellAll = (sections: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(sections).map(([key, value]) => [key, spell(key, value)]));

function resolveArm(checker: Checker, merged: Record<string, unknown>, catalogue: Catalogue | undefined): ArmConfig {
  const sections = checker.parse(armSchema, spellAll(merged));
  const { subset, validation, ...dataset } = sections.dataset;
  const fromTable = (key: "order" | "batching", table: readonly Pickable[]): Chosen => {
    const { name, options } = split(sections[key]);
    const definition = checker.find(key, table, name);
    const checked = checker.parse(definition.options, options, { at: [key] });
    if (!isRecord(checked)) throw new Error(`${key} ${name}: its options must be a map`);
    return { name, options: checked };
  };
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
      : checker.catalogued(key, entries, chosen, key === "dataset" ? ["subset", "validation"] : []);
  };
  return {
    dataset: { ...fromCatalogue("dataset", catalogue?.datasets, dataset), subset, validation },
    model: fromCatalogue("model", catalogue?.models, sections.model),
    optimizer: fromCatalogue("optimizer", catalogue?.optimizers, sections.optimizer),
    schedule: {
      name: schedule.name,
      options: checker.parse(scheduleOptions(scheduleDefinition), schedule.options, { at: ["schedule"] }),
    },
    batching: fromTable("batching", BATCHING_RULES),
    order: fromTable("order", ORDERS),
    augmentation: sections.augmentation,
    precision: sections.precision,
    epochs: sections.epochs,
  };
}

interface Named {
  readonly name: string;
  readonly [option: string]: unknown;
}
interface Pickable {
  readonly name: string;
  readonly options: z.ZodType;
}

const split = ({ name, ...options }: Named): Chosen => ({ name, options });

function checkSeeds(source: ConfigSource, seeds: readonly number[]): readonly number[] {
  const twice = seeds.find((seed, at) => seeds.indexOf(seed) !== at);
  if (twice !== undefined) throw usageError(`${source.where(["seeds"])}: seeds names ${twice} twice`);
  return seeds;
}

function checkBaseline(
  source: ConfigSource,
  baseline: string | undefined,
  arms: readonly string[],
): string | undefined {
  if (baseline === undefined) return arms.find((arm) => arm === "shuffled");
  if (arms.includes(baseline)) return baseline;
  throw usageError(`${source.where(["baseline"])}: baseline: no arm "${baseline}"; there are: ${arms.join(", ")}`);
}
