import { existsSync, lstatSync, readlinkSync, statSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { surroundingsError } from "../errors.js";
import { packageRoot } from "../package-root.js";

/**
 * The Python to run the backend with: the one given, else IBATCH_PYTHON, else the `.venv` that set-up makes.
 * An environment's folder stands for the interpreter in it. A name alone is one to look up in PATH, unless it is such
 * a folder; a path becomes absolute, since the backend starts in another directory.
 * @throws IbatchError when there is none.
 */
export function findPython(given: string | undefined): string {
  const named = given ?? process.env.IBATCH_PYTHON;
  if (named === undefined || named === "") return ownPython();
  if (isFolder(named)) return pythonOf(named);
  return basename(named) === named ? named : resolve(named);
}

/** What may not be looked at is found out when it is started. */
function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}

function pythonOf(folder: string): string {
  const python = resolve(interpreterIn(folder));
  if (existsSync(python)) return python;
  refuseDangling(python);
  throw surroundingsError(`--python ${folder}: expected an interpreter or an environment, and there is no ${python}`);
}

function ownPython(): string {
  const own = interpreterIn(join(packageRoot, ".venv"));
  if (existsSync(own)) return own;
  refuseDangling(own);
  const isClone = existsSync(join(packageRoot, "scripts", "setup.mjs"));
  throw surroundingsError(
    isClone
      ? `no Python for the backend: ${own} is not there. Run \`npm run setup\`, or name one that has torch with --python`
      : "no Python for the backend: name one with --python or IBATCH_PYTHON; it needs what " +
          `${join(packageRoot, "requirements.txt")} lists: pip install -r that file`,
  );
}

/** An environment's interpreter is a link to the one that made it. */
function refuseDangling(python: string): void {
  if (lstatSync(python, { throwIfNoEntry: false })?.isSymbolicLink() !== true) return;
  throw surroundingsError(
    `no Python for the backend: ${python} is a link to ${readlinkSync(python)}, which is not there or may not be read: ` +
      "name another one with --python",
  );
}

const interpreterIn = (folder: string): string =>
  join(folder, ...(process.platform === "win32" ? ["Scripts", "python.exe"] : ["bin", "python"]));
