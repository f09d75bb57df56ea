/**
 * Module hooks of an order's thread: what a user's file imports is followed and hashed, TypeScript is compiled, and
 * `importance-batching` is this package, the one that will run the order, and so the same zod.
 */
import { existsSync, readFileSync } from "node:fs";
import type { InitializeHook, LoadFnOutput, LoadHook, ResolveHook } from "node:module";
import { dirname, resolve as resolvePath } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { MessagePort } from "node:worker_threads";
import { ownEntry } from "../../package-root.js";
import { sha256 } from "../../record/hash.js";
import { type GraphFile, isOwnFile, type Served } from "./graph.js";
import { SETTLED } from "./settled.js";
import { compiled, isTypeScript } from "./typescript.js";

export interface HooksData {
  readonly entry: string;
  /** Files that are loaded as they were before. */
  readonly served: ReadonlyMap<string, Served>;
  /** Gets a GraphFile for each file that is loaded. */
  readonly port: MessagePort;
}

let data: HooksData | undefined;
const loading = new Set<Promise<unknown>>();

export const initialize: InitializeHook<HooksData> = (given) => {
  data = given;
};

export const resolve: ResolveHook = async (specifier, context, next) => {
  if (specifier.startsWith(SETTLED)) {
    await Promise.allSettled(loading);
    return { url: `data:text/javascript,//${specifier}`, shortCircuit: true };
  }
  if (specifier === "importance-batching") return { url: pathToFileURL(ownEntry).href, shortCircuit: true };
  const sibling = typeScriptSibling(specifier, context.parentURL);
  return sibling === undefined ? next(specifier, context) : { url: pathToFileURL(sibling).href, shortCircuit: true };
};

/** `./x.js` and `./x` are `./x.ts` where TypeScript says so and nothing else is there. */
function typeScriptSibling(specifier: string, parent: string | undefined): string | undefined {
  if (!/^\.{1,2}\//.test(specifier) || !parent?.startsWith("file:")) return undefined;
  const importing = fileURLToPath(parent);
  const path = resolvePath(dirname(importing), specifier);
  if (!isTypeScript(importing) || existsSync(path)) return undefined;
  return [path.replace(/\.([cm]?)js$/, ".$1ts"), `${path}.ts`].find((candidate) => existsSync(candidate));
}

export const load: LoadHook = async (...asked) => {
  const loaded = loadOwn(...asked);
  loading.add(loaded);
  try {
    return await loaded;
  } finally {
    loading.delete(loaded);
  }
};

async function loadOwn(...[url, context, next]: Parameters<LoadHook>): Promise<LoadFnOutput> {
  const path = url.startsWith("file:") ? fileURLToPath(url) : undefined;
  if (data === undefined || path === undefined || !isOwnFile(path, data.entry)) return next(url, context);
  const before = data.served.get(path);
  if (before !== undefined) return { ...before, shortCircuit: true };
  const bytes = readFileSync(path);
  const loaded = isTypeScript(path) ? fromTypeScript(bytes, path) : await next(url, context);
  const { format, source } = loaded;
  const file: GraphFile = { path, sha256: sha256(bytes) };
  const isKept = typeof source === "string" || source instanceof Uint8Array;
  data.port.postMessage(isKept && typeof format === "string" ? { ...file, served: { format, source } } : file);
  return loaded;
}

const fromTypeScript = (bytes: Buffer, path: string) => ({
  format: path.endsWith(".cts") ? "commonjs" : "module",
  source: compiled(bytes.toString("utf8"), path),
  shortCircuit: true,
});
