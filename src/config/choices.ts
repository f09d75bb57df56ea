/** Everything that a config can name, with its options: for `ibatch list` and the reference page. */
import type { Catalogue, CatalogueEntry, CatalogueOption } from "../backend/messages.js";
import { BATCHING_RULES, batchingOptions } from "../batching/index.js";
import { REPLAY } from "../order-files/replay-options.js";
import { ORDERS } from "../orders/index.js";
import { orderOptions } from "../orders/ledger-options.js";
import { SCHEDULES, scheduleOptions } from "../schedules/index.js";
import type { BackendKind, OwnKind } from "./kinds.js";
import { CROSS_ENTROPY } from "./losses.js";
import { describeOptions, type OptionDescription } from "./option-description.js";

export type { Catalogue };

export interface Choice {
  readonly name: string;
  readonly summary: string;
  readonly whenToChoose: string;
  readonly options: readonly OptionDescription[];
}

export function ownChoices(): Record<OwnKind, readonly Choice[]> {
  return {
    orders: [
      ...ORDERS.map((order) => ({ ...texts(order), options: describeOptions(orderOptions(order)) })),
      { ...texts(REPLAY), options: describeOptions(REPLAY.options) },
    ],
    batching: BATCHING_RULES.map((rule) => ({ ...texts(rule), options: describeOptions(batchingOptions(rule)) })),
    schedules: SCHEDULES.map((schedule) => ({
      ...texts(schedule),
      options: describeOptions(scheduleOptions(schedule)),
    })),
    losses: [{ ...texts(CROSS_ENTROPY), options: describeOptions(CROSS_ENTROPY.options) }],
  };
}

export function backendChoices({ models, datasets, optimizers }: Catalogue): Record<BackendKind, readonly Choice[]> {
  return {
    models: models.map(fromCatalogue),
    datasets: datasets.map(fromCatalogue),
    optimizers: optimizers.map(fromCatalogue),
  };
}

/** The catalogue's types as our own schemas name them. */
const TYPES: Readonly<Record<CatalogueOption["type"], string>> = {
  int: "integer",
  float: "number",
  bool: "boolean",
  str: "string",
};

const texts = ({ name, summary, whenToChoose }: Omit<Choice, "options">) => ({
  name,
  summary: sentence(summary),
  whenToChoose: sentence(whenToChoose),
});

const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1).replace(/\.$/, "")}.`;

function fromCatalogue(entry: CatalogueEntry): Choice {
  const options = Object.entries(entry.options).map(
    ([name, option]): OptionDescription => ({
      name,
      type: option.choices === null ? TYPES[option.type] : option.choices.join(" | "),
      needed: option.default === null,
      default: option.default,
      help: option.help,
    }),
  );
  return { ...texts(entry), options };
}
