/** Which code of the user's a config may run: what the command line allows by name. */

import type { ExperimentConfig } from "../config/config.js";
import type { ConfigSource } from "../config/config-source.js";
import { type IbatchError, usageError } from "../errors.js";
import { type Path, valueAt } from "../schema-mistake.js";

/** A module is allowed by its own name, or that of a package above it. */
export const isAllowed = (reference: string, allowed: readonly string[]): boolean => {
  const [module = ""] = reference.split(":");
  return allowed.some((name) => module === name || module.startsWith(`${name}.`));
};

/** What is to be allowed for these references to be imported, each once. */
export const modulesOf = (references: readonly string[]): string[] => [
  ...new Set(references.map((reference) => reference.split(":")[0] ?? "")),
];

/** @throws IbatchError naming every module that a reference of the config needs, and that is not allowed. */
export function refuseImports(source: ConfigSource, config: ExperimentConfig, allowed: readonly string[]): void {
  const missing = Object.entries(config.arms).flatMap(([arm, sections]) =>
    (["dataset", "model", "loss"] as const).flatMap((key) => {
      const section = sections[key];
      if (section?.origin !== "import" || isAllowed(section.name, allowed)) return [];
      return [{ place: placeOf(source, arm, key), reference: section.name }];
    }),
  );
  const once = missing.filter(
    ({ reference }, at) => missing.findIndex((other) => other.reference === reference) === at,
  );
  if (once.length === 0) return;
  const said = once.map(({ place, reference }) => `${place}: ${reference}`).join(", ");
  throw notAllowed(
    said,
    once.map(({ reference }) => reference),
  );
}

/** As `refuseImports`, for a reference of the command line. */
export function refuseImport(option: string, reference: string, allowed: readonly string[]): void {
  if (!isAllowed(reference, allowed)) throw notAllowed(`${option} ${reference}`, [reference]);
}

/** Modules that are allowed, and that nothing here imports. */
export const unusedImports = (references: readonly string[], allowed: readonly string[]): string[] =>
  allowed.filter((module) => !references.some((reference) => isAllowed(reference, [module])));

function notAllowed(said: string, references: readonly string[]): IbatchError {
  const flags = modulesOf(references)
    .map((module) => `--allow-import ${module}`)
    .join(" ");
  const runs = references.length === 1 ? "runs code of yours: allow it" : "run code of yours: allow it";
  return usageError(`${said} ${runs} with ${flags}`);
}

function placeOf(source: ConfigSource, arm: string, key: string): string {
  const inArm: Path = ["arms", arm, key];
  const path = valueAt(source.value, inArm) === undefined ? [key] : inArm;
  return `${source.where(path)}: ${path.join(".")}`;
}
