import { existsSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { surroundingsError } from "../errors.js";
import { packageRoot } from "../package-root.js";

/**
 * The Python to run the backend with: the one given, else IBATCH_PYTHON, else the `.venv` that set-up makes.
 * A name alone is one to look up in PATH; a path becomes absolute, since the backend starts in another directory.
 * @throws IbatchError when there is none.
 */
export function findPython(given: string | undefined): string {
  const named = given ?? process.env.IBATCH_PYTHON;
  if (named !== undefined && named !== "") return basename(named) === named ? named : resolve(named);
  const own = join(packageRoot, ".venv", process.platform === "win32" ? "Scripts/python.exe" : "bin/python");
  if (existsSync(own)) return own;
  throw surroundingsError(
    `no Python for the backend: ${own} is not there. Run \`npm run setup\`, or name one that has torch with --python`,
  );
}
