/** From a config's text to what each arm is: every default filled in, every mistake named with its place. */
import { z } from "zod";
import type { Catalogue, CatalogueEntry, CatalogueOption } from "../backend/messages.js";
import { BATCHING_RULES } from "../batching/index.js";
import { type IbatchError, usageError } from "../errors.js";
import { nearest } from "../nearest.js";
import { ORDERS } from "../orders/index.js";
import { hashValue } from "../record/hash.js";
import { SCHEDULES, scheduleOptions } from "../schedules/index.js";
import { type ConfigSource, isNamedSection, isRecord, type Path } from "./config-source.js";
import { ARM_NAME, type ArmSections, armSchema, type Common, commonSchema, TRAINING_KEYS } from "./schema.js";

/** A name with its options, all defaults filled in. */
export interface Chosen {
  readonly name: string;
  readonly options: Readonly<Record<string, unknown>>;
}

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

  const checker = new Checker(source);
  const allKeys = [...Object.keys(commonSchema.shape), ...TRAINING_KEYS, "arms"];
  const { name, seeds, baseline, ...running } = checker.parse(commonSchema, common, { known: allKeys });
  const overrides = checkArmNames(source, armOverrides);
  const arms: Record<string, ArmConfig> = {};
  for (const [arm, override] of overrides) {
    arms[arm] = resolveArm(new Checker(source, arm), mergeArm(base, override), catalogue);
  }
  return {
    name,
    seeds: typeof seeds === "number" ? Array.from({ length: seeds }, (_, at) => at) : checkSeeds(source, seeds),
    baseline: checkBaseline(source, baseline, Object.keys(arms)),
    ...running,
    base,
    arms,
  };
}

/** Hash of what determines numbers and is common to all runs: not seeds, arms, device, threads or paths. */
export const experimentHash = ({ name, base, evaluation }: ExperimentConfig): string =>
  hashValue({ name, base, evaluation });

/** Hash of what determines one arm's numbers. */
export const armHash = (arm: ArmConfig, evaluation: Common["evaluation"]): string => hashValue({ arm, evaluation });

// --- arms

function checkArmNames(source: ConfigSource, arms: unknown): [string, Record<string, unknown>][] {
  if (!isRecord(arms) || Object.keys(arms).length === 0) {
    throw usageError(
      `${source.where(["arms"])}: \`arms\` must name at least one arm, as in arms: { shuffled: { order: shuffled } }`,
    );
  }
  return Object.entries(arms).map(([arm, override]) => {
    if (!ARM_NAME.test(arm)) {
      throw usageError(
        `${source.where(["arms", arm])}: arm "${arm}": expected letters, digits, dots, dashes, underscores`,
      );
    }
    if (override !== null && !isRecord(override)) {
      throw usageError(`${source.where(["arms", arm])}: arms.${arm} is ${JSON.stringify(override)}, not a map`);
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

// --- mistakes

/** Runs schemas and turns the first mistake into a line with its place. */
class Checker {
  readonly #source: ConfigSource;
  readonly #arm: string | undefined;

  constructor(source: ConfigSource, arm?: string) {
    this.#source = source;
    this.#arm = arm;
  }

  parse<Output>(
    schema: z.ZodType<Output>,
    value: unknown,
    options: { at?: Path; known?: readonly string[] } = {},
  ): Output {
    const { at = [], known } = options;
    const result = schema.safeParse(value);
    if (result.success) return result.data;
    const [issue] = result.error.issues;
    const path = [...at, ...issue.path.map((key) => (typeof key === "symbol" ? String(key) : key))];
    if (issue.code === "unrecognized_keys") {
      const [key] = issue.keys;
      throw this.mistake([...path, key], unknownKey(key, known ?? knownKeys(schema, issue.path)));
    }
    const seen = valueAt(value, issue.path);
    const message = describeIssue(issue);
    throw this.mistake(
      path,
      seen === undefined ? `is missing (${message})` : `${message}, not ${JSON.stringify(seen)}`,
    );
  }

  find<Entry extends { readonly name: string }>(key: string, table: readonly Entry[], name: string): Entry {
    const entry = table.find((candidate) => candidate.name === name);
    if (entry !== undefined) return entry;
    const known = table.map((candidate) => candidate.name);
    const near = nearest(name, known);
    const guess = near === undefined ? "" : `; did you mean ${near}?`;
    throw this.mistake([key], `there is no ${key} "${name}"${guess} There are: ${known.join(", ")}`);
  }

  /** Checks a choice against what the backend declares, and fills in its defaults. `beside`: keys that are ours. */
  catalogued(key: string, entries: readonly CatalogueEntry[], chosen: Chosen, beside: readonly string[]): Chosen {
    const { options: declared } = this.find(key, entries, chosen.name);
    const options: Record<string, unknown> = {};
    for (const [name, option] of Object.entries(declared)) {
      const value = chosen.options[name] ?? option.default;
      const wrong = wrongOption(option, value);
      if (wrong !== undefined) throw this.mistake([key, name], `${wrong}, not ${JSON.stringify(value)}`);
      options[name] = value;
    }
    const unknown = Object.keys(chosen.options).find((name) => !Object.hasOwn(declared, name));
    if (unknown !== undefined) {
      throw this.mistake([key, unknown], unknownKey(unknown, ["name", ...beside, ...Object.keys(declared)]));
    }
    return { name: chosen.name, options };
  }

  mistake(path: Path, what: string): IbatchError {
    const inArm = ["arms", ...(this.#arm === undefined ? [] : [this.#arm]), ...path];
    const fromArm = this.#arm !== undefined && valueAt(this.#source.value, inArm.slice(0, 3)) !== undefined;
    const where = this.#source.where(fromArm ? inArm : path);
    return usageError(`${where}: ${(fromArm ? inArm : path).join(".")}: ${what}`);
  }
}

function unknownKey(key: string, known: readonly string[]): string {
  const near = nearest(key, known);
  return near === undefined ? `unknown key; known: ${known.join(", ")}` : `unknown key; did you mean \`${near}\`?`;
}

function describeIssue(issue: z.core.$ZodIssue): string {
  if (issue.code === "invalid_union") return "expected one of the forms that the reference names";
  return issue.message.replace(/^Invalid input: /, "").replace(/, received .*$/, "");
}

/** What is wrong with an option's value, by the backend's declaration; undefined when nothing is. */
function wrongOption(option: CatalogueOption, value: unknown): string | undefined {
  const { type, choices, minimum, maximum } = option;
  if (choices !== null && !choices.includes(value)) return `expected one of ${choices.join(", ")}`;
  const fits = {
    int: Number.isInteger(value),
    float: typeof value === "number" && Number.isFinite(value),
    bool: typeof value === "boolean",
    str: typeof value === "string",
    floats: Array.isArray(value) && value.every((item) => typeof item === "number"),
  };
  if (!fits[type])
    return `expected ${{ int: "an integer", float: "a number", bool: "true or false", str: "a text", floats: "a list of numbers" }[type]}`;
  if (typeof value !== "number") return undefined;
  if (minimum !== null && value < minimum) return `expected at least ${minimum}`;
  if (maximum !== null && value > maximum) return `expected at most ${maximum}`;
  return undefined;
}

/** The keys of the object at this path of a schema. */
function knownKeys(schema: z.ZodType, path: readonly PropertyKey[]): readonly string[] {
  let at: unknown = schema;
  for (const key of path) {
    const unwrapped = unwrap(at);
    at = unwrapped instanceof z.ZodObject && typeof key === "string" ? unwrapped.shape[key] : undefined;
  }
  const found = unwrap(at);
  return found instanceof z.ZodObject ? Object.keys(found.shape) : [];
}

function unwrap(schema: unknown): unknown {
  const isWrapper =
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault ||
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodNullable;
  return isWrapper ? unwrap(schema.unwrap()) : schema;
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  let at = value;
  for (const key of path) {
    if (typeof at !== "object" || at === null) return undefined;
    at = Reflect.get(at, key);
  }
  return at;
}
