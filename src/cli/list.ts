import type { CatalogueEntry, CatalogueOption } from "../backend/messages.js";
import { BATCHING_RULES } from "../batching/index.js";
import { usageError } from "../errors.js";
import { describeOptions, type OptionDescription } from "../experiment/option-description.js";
import { nearest } from "../nearest.js";
import { ORDERS } from "../orders/index.js";
import { SCHEDULES, scheduleOptions } from "../schedules/index.js";
import { openChosenBackend } from "./backend-options.js";
import { EXIT } from "./exit-codes.js";
import { KINDS, type ListOptions } from "./list-command.js";

type Kind = (typeof KINDS)[number];

interface Entry {
  readonly name: string;
  readonly summary: string;
  readonly whenToChoose: string;
  readonly options: readonly OptionDescription[];
}

/** `ibatch list`: models, datasets and optimisers are the backend's to name, so those need one. */
export async function list(given: string | undefined, options: ListOptions): Promise<number> {
  const kinds = given === undefined ? KINDS : [checkKind(given)];
  const entries: Partial<Record<Kind, readonly Entry[]>> = {};
  const own = ownEntries();
  for (const kind of kinds) if (kind in own) entries[kind] = own[kind as keyof typeof own];
  if (kinds.some((kind) => !(kind in own))) {
    const fromBackend = await backendEntries(options);
    for (const kind of kinds) if (kind in fromBackend) entries[kind] = fromBackend[kind as keyof typeof fromBackend];
  }
  process.stdout.write(options.json ? `${JSON.stringify(entries, null, 2)}\n` : render(entries));
  return EXIT.done;
}

function checkKind(given: string): Kind {
  const kind = KINDS.find((known) => known === given);
  if (kind !== undefined) return kind;
  const near = nearest(given, KINDS);
  const guess = near === undefined ? "" : ` Did you mean "${near}"?`;
  throw usageError(`There is nothing to list under "${given}".${guess} Known: ${KINDS.join(", ")}.`);
}

function ownEntries() {
  return {
    orders: ORDERS.map((order) => ({ ...texts(order), options: describeOptions(order.options) })),
    batching: BATCHING_RULES.map((rule) => ({ ...texts(rule), options: describeOptions(rule.options) })),
    schedules: SCHEDULES.map((schedule) => ({
      ...texts(schedule),
      options: describeOptions(scheduleOptions(schedule)),
    })),
  };
}

async function backendEntries(options: ListOptions) {
  const backend = await openChosenBackend({ ...options, device: "cpu" });
  try {
    const { models, datasets, optimizers } = backend.client.introduction.catalogue;
    return {
      models: models.map(fromCatalogue),
      datasets: datasets.map(fromCatalogue),
      optimizers: optimizers.map(fromCatalogue),
    };
  } finally {
    await backend.stop();
  }
}

const texts = ({ name, summary, whenToChoose }: { name: string; summary: string; whenToChoose: string }) => ({
  name,
  summary,
  whenToChoose,
});

/** The backend's types as our own options call them. */
const TYPE_NAMES: Readonly<Record<CatalogueOption["type"], string>> = {
  int: "integer",
  float: "number",
  bool: "boolean",
  str: "string",
  floats: "list of number",
};

function fromCatalogue(entry: CatalogueEntry): Entry {
  const options = Object.entries(entry.options).map(
    ([name, option]): OptionDescription => ({
      name,
      type: option.choices === null ? TYPE_NAMES[option.type] : option.choices.join(" | "),
      default: option.default,
      help: option.help,
    }),
  );
  return { ...texts(entry), options };
}

function render(entries: Partial<Record<Kind, readonly Entry[]>>): string {
  return Object.entries(entries)
    .map(([kind, all]) => `${kind}\n\n${all.map(renderEntry).join("\n")}`)
    .join("\n");
}

function renderEntry({ name, summary, whenToChoose, options }: Entry): string {
  const lines = [`  ${name}: ${summary}`, `    choose it: ${whenToChoose}`];
  for (const option of options) {
    const start = option.default === undefined ? "needed" : `default ${JSON.stringify(option.default)}`;
    lines.push(`    ${option.name} (${option.type}, ${start}): ${option.help}`);
  }
  return `${lines.join("\n")}\n`;
}
