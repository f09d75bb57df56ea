import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The directory that holds package.json and py_backend: one above `src` and `dist`. */
export const packageRoot = dirname(dirname(fileURLToPath(import.meta.url)));

/** What `import "importance-batching"` gives. */
export const ownEntry = join(packageRoot, "dist", "index.js");

/** The version in package.json. */
export function packageVersion(): string {
  const { version } = JSON.parse(readFileSync(join(packageRoot, "package.json"), "utf8"));
  return String(version);
}

/** The commit that `npm run pack` made this from; undefined where it did not. */
export function packedCommit(): string | undefined {
  const file = join(packageRoot, "packed.json");
  if (!existsSync(file)) return undefined;
  const { commit } = JSON.parse(readFileSync(file, "utf8"));
  return typeof commit === "string" ? commit : undefined;
}
