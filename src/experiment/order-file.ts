/** A user's own order: an ES module whose default export is an order definition. */
import { existsSync, readFileSync } from "node:fs";
import { createRequire, register } from "node:module";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { usageError } from "../errors.js";
import type { OrderDefinition } from "../orders/contract.js";
import { isOrderDefinition, missingMembers } from "../orders/definition-check.js";
import { ownEntry } from "../package-root.js";
import { sha256 } from "../record/hash.js";
import { ledgerOptions } from "./ledger-options.js";
import { isFilePath } from "./named-section.js";

export interface OrderFile {
  readonly definition: OrderDefinition;
  /** Of the file itself; not of what it imports. */
  readonly sha256: string;
}

/**
 * Imports an order from a path, relative to `directory`, or from a package that is installed there. `where` stands
 * before what is wrong.
 * @throws IbatchError when there is none, it cannot be imported, or its default export is no order.
 */
export async function importOrder(file: string, directory: string, where: string): Promise<OrderFile> {
  const path = isFilePath(file) ? resolve(directory, file) : resolvePackage(file, directory, where);
  if (!existsSync(path)) throw usageError(`${where}: there is no file ${path}`);
  findThisPackage();
  const { exported, hash } = await importDefault(path, where);
  if (typeof exported !== "object" || exported === null) {
    const seen = exported === undefined ? "has no default export" : `exports a ${typeof exported} as its default`;
    throw usageError(`${where}: ${path} ${seen}, expected export default defineOrder({ … })`);
  }
  if (!isOrderDefinition(exported)) {
    throw usageError(
      `${where}: the default export of ${path} is no order: ${missingMembers(exported).join(", ")} missing or of the ` +
        "wrong type (options is a z.strictObject of the z that importance-batching exports)",
    );
  }
  const taken = Object.keys(exported.options.shape).find((option) => isTaken(option, exported.readsLedger));
  if (taken !== undefined) {
    throw usageError(`${where}: option ${taken} of ${path} stands for something else beside an order: rename it`);
  }
  return { definition: exported, sha256: hash };
}

/** Whether this key beside an order's name is the controller's. */
const isTaken = (option: string, readsLedger: boolean): boolean =>
  ["name", "file", "replay"].includes(option) || (readsLedger && Object.hasOwn(ledgerOptions.shape, option));

function resolvePackage(name: string, directory: string, where: string): string {
  try {
    return createRequire(join(resolve(directory), "config")).resolve(name);
  } catch (error) {
    const isThere = error instanceof Error && "code" in error && error.code === "ERR_PACKAGE_PATH_NOT_EXPORTED";
    throw usageError(
      isThere
        ? `${where}: package ${name} exports nothing by that name: its package.json needs an entry "default" in "exports"`
        : `${where}: no package ${name} is installed at ${resolve(directory)}; a file's path starts with ./, ../ or /`,
      { cause: error },
    );
  }
}

/** Node keeps a module under its address for as long as the process lives; with the hash in it, a changed file is new. */
async function importDefault(path: string, where: string): Promise<{ exported: unknown; hash: string }> {
  try {
    const hash = sha256(readFileSync(path));
    const module: { readonly default?: unknown } = await import(`${pathToFileURL(path).href}?sha256=${hash}`);
    return { exported: module.default, hash };
  } catch (error) {
    throw usageError(`${where}: importing ${path} failed: ${error instanceof Error ? error.message : error}`, {
      cause: error,
    });
  }
}

let isFound = false;

/**
 * Lets the user's file import "importance-batching", wherever it lies: it gets this package, the one that will run
 * it, and so the same zod.
 */
function findThisPackage(): void {
  if (isFound) return;
  isFound = true;
  const url = JSON.stringify(pathToFileURL(ownEntry).href);
  const hook = `export async function resolve(specifier, context, next) {
    return specifier === "importance-batching" ? { url: ${url}, shortCircuit: true } : next(specifier, context);
  }`;
  register(`data:text/javascript,${encodeURIComponent(hook)}`, import.meta.url);
}
