/** Which code of the user's a config may run: what the command line allows by name. */
import { type IbatchError, usageError } from "../errors.js";
import { valueAt } from "../experiment/checker.js";
import type { ExperimentConfig } from "../experiment/config.js";
import type { ConfigSource, Path } from "../experiment/config-source.js";

/** A module is allowed by its own name, or that of a package above it. */
export const isAllowed = (reference: string, allowed: readonly string[]): boolean => {
  const [module = ""] = reference.split(":");
  return allowed.some((name) => module === name || module.startsWith(`${name}.`));
};

/** @throws IbatchError at the first reference of the config whose module is not allowed. */
export function refuseImports(source: ConfigSource, config: ExperimentConfig, allowed: readonly string[]): void {
  for (const [arm, sections] of Object.entries(config.arms)) {
    for (const key of ["dataset", "model", "loss"] as const) {
      const section = sections[key];
      if (section?.origin === "import" && !isAllowed(section.name, allowed)) {
        throw notAllowed(`${placeOf(source, arm, key)}: `, section.name);
      }
    }
  }
}

/** As `refuseImports`, for a reference of the command line. */
export function refuseImport(option: string, reference: string, allowed: readonly string[]): void {
  if (!isAllowed(reference, allowed)) throw notAllowed(`${option} `, reference);
}

/** Modules that are allowed, and that nothing here imports. */
export const unusedImports = (references: readonly string[], allowed: readonly string[]): string[] =>
  allowed.filter((module) => !references.some((reference) => isAllowed(reference, [module])));

const notAllowed = (place: string, reference: string): IbatchError => {
  const [module] = reference.split(":");
  return usageError(`${place}${reference} runs code of yours: allow it with --allow-import ${module}`);
};

function placeOf(source: ConfigSource, arm: string, key: string): string {
  const inArm: Path = ["arms", arm, key];
  const path = valueAt(source.value, inArm) === undefined ? [key] : inArm;
  return `${source.where(path)}: ${path.join(".")}`;
}
