import { backendChoices, type Choice, ownChoices } from "../config/choices.js";
import { BACKEND_KINDS, type BackendKind, KINDS, type Kind } from "../config/kinds.js";
import type { OptionDescription } from "../config/option-description.js";
import { usageError } from "../errors.js";
import { openToAsk } from "../launch/chosen-backend.js";
import { nearest } from "../nearest.js";
import { EXIT } from "./exit-codes.js";
import type { ListOptions } from "./list-command.js";

/** `ibatch list`: models, datasets and optimisers are the backend's to name, so those need one. */
export async function list(given: string | undefined, options: ListOptions, signal: AbortSignal): Promise<number> {
  const kinds = given === undefined ? KINDS : [checkKind(given)];
  const isBackends = (kind: Kind) => BACKEND_KINDS.some((other) => other === kind);
  const all: Partial<Record<Kind, readonly Choice[]>> = {
    ...ownChoices(),
    ...(kinds.some(isBackends) && (await askBackend(options, signal))),
  };
  const entries = Object.fromEntries(kinds.map((kind) => [kind, all[kind] ?? []]));
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

async function askBackend(options: ListOptions, signal: AbortSignal): Promise<Record<BackendKind, readonly Choice[]>> {
  const backend = await openToAsk(options, signal);
  try {
    return backendChoices(backend.client.introduction.catalogue);
  } finally {
    await backend.stop();
  }
}

function render(entries: Readonly<Record<string, readonly Choice[]>>): string {
  return Object.entries(entries)
    .map(([kind, all]) => `${kind}\n\n${all.map(renderEntry).join("\n")}`)
    .join("\n");
}

const describeDefault = ({ needed, default: fallback }: OptionDescription): string =>
  needed ? "needed" : `default ${JSON.stringify(fallback)}`;

function renderEntry({ name, summary, whenToChoose, options }: Choice): string {
  const lines = [`  ${name}: ${summary}`, `    choose it: ${whenToChoose}`];
  for (const option of options) {
    lines.push(`    ${option.name} (${option.type}, ${describeDefault(option)}): ${option.help}`);
  }
  return `${lines.join("\n")}\n`;
}
