/** The files that an order is made of: its own and those that it imports from beside it. */
import { dirname, join, relative, sep } from "node:path";
import { packageRoot } from "../../package-root.js";

/** As one thread loaded a file, so that the next one loads the same, whatever was written there meanwhile. */
export interface Served {
  readonly format: string;
  readonly source: string | Uint8Array;
}

export interface GraphFile {
  readonly path: string;
  readonly sha256: string;
  /** Absent for what Node loads by itself: CommonJS. */
  readonly served?: Served;
}

/** Whether a file belongs to the order in `entry`: no package that it uses, nor this one. */
export function isOwnFile(path: string, entry: string): boolean {
  if (path === entry) return true;
  return packageOf(path) === packageOf(entry) && !path.startsWith(join(packageRoot, "dist") + sep);
}

const MODULES = `${sep}node_modules${sep}`;

/** The directory of the package that holds a file; "" for one that is in no `node_modules`. */
function packageOf(path: string): string {
  const start = path.lastIndexOf(MODULES);
  if (start === -1) return "";
  const below = path.slice(start + MODULES.length).split(sep);
  return path.slice(0, start + MODULES.length) + below.slice(0, below[0].startsWith("@") ? 2 : 1).join(sep);
}

/** SHA-256 of each imported file by its path from the order's own folder, sorted. */
export function importsOf(files: readonly GraphFile[], entry: string): Readonly<Record<string, string>> {
  const imported = files
    .filter(({ path }) => path !== entry)
    .map(({ path, sha256 }): [string, string] => [relative(dirname(entry), path).split(sep).join("/"), sha256]);
  return Object.fromEntries(imported.sort(([a], [b]) => (a < b ? -1 : 1)));
}
