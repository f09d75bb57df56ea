import { backendChoices, type Choice, ownChoices } from "../config/choices.js";
import { BACKEND_KINDS, type BackendKind, KINDS, type Kind } from "../config/kinds.js";
import type { OptionDescription } from "../config/option-description.js";
import { usageError } from "../errors.js";
import { nearest } from "../nearest.js";
import { wrap } from "../results/layout.js";
import { EXIT } from "./exit-codes.js";
import type { ListOptions } from "./list-command.js";
import { widthOf } from "./width.js";

/** `ibatch list`: models, datasets and optimisers are the backend's to name, so those need one. */
export async function list(given: string | undefined, options: ListOptions, signal: AbortSignal): Promise<number> {
  const kinds = given === undefined ? KINDS : [checkKind(given)];
  const isBackends = (kind: Kind) => BACKEND_KINDS.some((other) => other === kind);
  const own = entriesOf(
    kinds.filter((kind) => !isBackends(kind)),
    ownChoices(),
  );
  const shown = (entries: Entries) => renderChoices(entries, widthOf(process.stdout));
  // Ours are there before a backend is: where none can be had they are shown all the same.
  if (!options.json) process.stdout.write(shown(own));
  if (!kinds.some(isBackends)) return said(own, options);
  const others = entriesOf(kinds.filter(isBackends), await askBackend(options, signal));
  if (options.json) return said({ ...own, ...others }, options);
  process.stdout.write(`${Object.keys(own).length === 0 ? "" : "\n"}${shown(others)}`);
  return EXIT.done;
}

type Entries = Readonly<Record<string, readonly Choice[]>>;

const entriesOf = (kinds: readonly Kind[], all: Partial<Record<Kind, readonly Choice[]>>): Entries =>
  Object.fromEntries(kinds.map((kind) => [kind, all[kind] ?? []]));

/** In one document, where that is asked for. */
function said(entries: Entries, { json }: ListOptions): number {
  if (json) process.stdout.write(`${JSON.stringify(entries, null, 2)}\n`);
  return EXIT.done;
}

function checkKind(given: string): Kind {
  const kind = KINDS.find((known) => known === given);
  if (kind !== undefined) return kind;
  const near = nearest(given, KINDS);
  const guess = near === undefined ? "" : ` Did you mean "${near}"?`;
  throw usageError(`There is nothing to list under "${given}".${guess} Known: ${KINDS.join(", ")}.`);
}

async function askBackend(options: ListOptions, signal: AbortSignal): Promise<Record<BackendKind, readonly Choice[]>> {
  const { openToAsk } = await import("../launch/chosen-backend.js"); // orders, batching, schedules need none of it
  const backend = await openToAsk(options, signal);
  try {
    return backendChoices(backend.client.introduction.catalogue);
  } finally {
    await backend.stop();
  }
}

/** Within so many characters; without a limit each text is one line. */
export function renderChoices(entries: Readonly<Record<string, readonly Choice[]>>, width: number): string {
  return Object.entries(entries)
    .map(([kind, all]) => `${kind}\n\n${all.map((choice) => renderChoice(choice, width)).join("\n")}`)
    .join("\n");
}

const describeDefault = ({ needed, default: fallback }: OptionDescription): string =>
  needed ? "needed" : `default ${JSON.stringify(fallback)}`;

function renderChoice({ name, summary, whenToChoose, options }: Choice, width: number): string {
  const lines: [depth: number, text: string][] = [
    [1, `${name}: ${summary}`],
    [2, `choose it: ${whenToChoose}`],
  ];
  for (const option of options) {
    lines.push([2, `${option.name} (${option.type}, ${describeDefault(option)})`]);
    if (option.help !== "") lines.push([3, option.help]);
  }
  return `${lines.map(([depth, text]) => indented(text, "  ".repeat(depth), width)).join("\n")}\n`;
}

const indented = (text: string, indent: string, width: number): string =>
  wrap(text, width - indent.length)
    .split("\n")
    .map((line) => `${indent}${line}`)
    .join("\n");
