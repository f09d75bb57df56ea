/** Orders in TypeScript: types are taken off, not checked. */
import { createRequire } from "node:module";
import { basename } from "node:path";

export const isTypeScript = (path: string): boolean => /\.[cm]?ts$/.test(path);

interface Compiler {
  transformSync(
    source: string,
    options: Readonly<Record<string, unknown>>,
  ): { readonly code: string; readonly map?: string };
}

/**
 * The JavaScript of a TypeScript module, which says to which lines of it its own belong.
 * @throws SyntaxError naming line and column.
 */
export function compiled(source: string, path: string): string {
  try {
    const { code, map } = transform(source, path);
    const data = Buffer.from(map ?? "").toString("base64");
    return `${code}\n//# sourceMappingURL=data:application/json;base64,${data}\n`;
  } catch (fault) {
    throw new SyntaxError(faultText(fault, path));
  }
}

/** `file:line` where a module, of JavaScript, too, cannot be parsed; none where it can. */
export function syntaxFault(source: string | Uint8Array, path: string): string[] {
  try {
    transform(Buffer.from(source).toString("utf8"), path);
    return [];
  } catch (fault) {
    const line = startOf(fault)?.line;
    return line === undefined ? [] : [`${basename(path)}:${line}`];
  }
}

function transform(source: string, path: string): ReturnType<Compiler["transformSync"]> {
  // Loaded when it is needed: 4 MB.
  const { transformSync }: Compiler = createRequire(import.meta.url)("@swc/wasm-typescript");
  return transformSync(source, {
    ...{ filename: path, mode: "transform", sourceMap: true },
    module: !path.endsWith(".cts"),
  });
}

/** What the compiler throws is no Error. */
function faultText(fault: unknown, path: string): string {
  if (typeof fault !== "object" || fault === null || !("message" in fault)) return `${path}: ${String(fault)}`;
  const start = startOf(fault);
  return `${fault.message} (${path}${start === undefined ? "" : `:${start.line}:${start.column}`})`;
}

/** From 1. */
function startOf(fault: unknown): { readonly line: number; readonly column: number } | undefined {
  if (typeof fault !== "object" || fault === null) return undefined;
  if (!("startLine" in fault && "startColumn" in fault)) return undefined;
  return { line: Number(fault.startLine), column: Number(fault.startColumn) + 1 };
}
