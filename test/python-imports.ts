import { dirname, join } from "node:path/posix";

export interface PythonImport {
  /** Importing file, relative to the repository. */
  readonly file: string;
  /** The module as a path: of ours `py_backend/models/resnet18`, else `torch/nn`. */
  readonly target: string;
  readonly isRelative: boolean;
}

const DOCSTRING = /"""[\s\S]*?"""/g;
const COMMENT = /#.*$/gm;
const CONTINUED = /\\\n/g;
const IMPORT =
  /(?:^|;)[ \t]*(?:from[ \t]+(\.*)[ \t]*([\w.]*)[ \t]+import[ \t]*(\([^)]*\)|[^\n;]+)|import[ \t]+([\w. \t,]+))/gm;

/** All imports of a file, whatever their form, wherever they stand. Names that are imported of a package of `ours` count as modules. */
export function pythonImports(file: string, text: string, ours: readonly string[]): PythonImport[] {
  const code = text.replace(DOCSTRING, '""').replace(COMMENT, "").replace(CONTINUED, " ");
  return [...code.matchAll(IMPORT)].flatMap(([, dots = "", module = "", names = "", plain]) => {
    if (plain !== undefined) return namesIn(plain).map((name) => ({ file, target: asPath(name), isRelative: false }));
    const isRelative = dots !== "";
    const base = isRelative ? [...dots].reduce((folder) => dirname(folder), file) : "";
    const from = join(base, asPath(module));
    const isPackage = isRelative ? module === "" : ours.includes(module);
    const targets = isPackage ? namesIn(names).map((name) => join(from, name)) : [from];
    return targets.map((target) => ({ file, target, isRelative }));
  });
}

const asPath = (module: string): string => module.replaceAll(".", "/");

/** `a, b as c` are a and b. */
const namesIn = (list: string): string[] =>
  list
    .replace(/[()]/g, "")
    .split(",")
    .map((name) => name.trim().split(/\s+/)[0] ?? "")
    .filter((name) => name !== "");
