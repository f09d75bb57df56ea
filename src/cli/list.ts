import { backendChoices, type Choice, ownChoices } from "../config/choices.js";
import { BACKEND_KINDS, type BackendKind, KINDS, type Kind } from "../config/kinds.js";
import type { OptionDescription } from "../config/option-description.js";
import { usageError } from "../errors.js";
import { openToAsk } from "../launch/chosen-backend.js";
import { nearest } from "../nearest.js";
import { wrap } from "../results/layout.js";
import { EXIT } from "./exit-codes.js";
import type { ListOptions } from "./list-command.js";
import { widthOf } from "./width.js";

/** `ibatch list`: models, datasets and optimisers are the backend's to name, so those need one. */
export async function list(given: string | undefined, options: ListOptions, signal: AbortSignal): Promise<number> {
  const kinds = given === undefined ? KINDS : [checkKind(given)];
  const isBackends = (kind: Kind) => BACKEND_KINDS.some((other) => other === kind);
  const all: Partial<Record<Kind, readonly Choice[]>> = {
    ...ownChoices(),
    ...(kinds.some(isBackends) && (await askBackend(options, signal))),
  };
  const entries = Object.fromEntries(kinds.map((kind) => [kind, all[kind] ?? []]));
  process.stdout.write(
    options.json ? `${JSON.stringify(entries, null, 2)}\n` : renderChoices(entries, widthOf(process.stdout)),
  );
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
