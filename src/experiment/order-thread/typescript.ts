/** Orders in TypeScript: types are taken off, not checked. */
import { createRequire } from "node:module";

export const isTypeScript = (path: string): boolean => /\.[cm]?ts$/.test(path);

interface Compiler {
  transformSync(source: string, options: Readonly<Record<string, unknown>>): { readonly code: string };
}

/**
 * The JavaScript of a TypeScript module.
 * @throws SyntaxError naming line and column.
 */
export function compiled(source: string, path: string): string {
  // Loaded when it is needed: 4 MB.
  const { transformSync }: Compiler = createRequire(import.meta.url)("@swc/wasm-typescript");
  try {
    return transformSync(source, { filename: path, mode: "transform", module: !path.endsWith(".cts") }).code;
  } catch (error) {
    throw new SyntaxError(faultText(error, path));
  }
}

/** What the compiler throws is no Error. */
function faultText(fault: unknown, path: string): string {
  if (typeof fault !== "object" || fault === null || !("message" in fault)) return `${path}: ${String(fault)}`;
  const at =
    "startLine" in fault && "startColumn" in fault ? `:${fault.startLine}:${Number(fault.startColumn) + 1}` : "";
  return `${fault.message} (${path}${at})`;
}
