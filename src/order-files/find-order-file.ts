/** Where a user's order lies: at a path, or in a package that is installed. */
import { realpathSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { usageError } from "../errors.js";

/** Whether a text names a file, and nothing of ours. */
export const isFilePath = (text: string): boolean => /^\.{0,2}[\\/]|^[A-Za-z]:[\\/]|\.[cm]?[jt]s$/.test(text);

/**
 * The file of an order that a config or a command names, relative to `directory`.
 * @throws IbatchError where there is none; `where` stands before what is wrong.
 */
export function findOrderFile(file: string, directory: string, where: string): string {
  const path = isFilePath(file) ? resolve(directory, file) : resolvePackage(file, directory, where);
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) throw usageError(`${where}: there is no file ${path}`);
  if (stat.isDirectory()) throw usageError(`${where}: ${path} is a directory: name a file in it`);
  return realpathSync(path); // as Node names what it imports
}

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
