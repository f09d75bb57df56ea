/** Python objects that TypeScript holds and asks: the only file that imports pythonia. */
import type { ChildProcess } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, isAbsolute, join, resolve } from "node:path";
import { z } from "zod";
import { IbatchError, surroundingsError, unlessInterrupted, usageError } from "../errors.js";
import { packageRoot } from "../package-root.js";

export interface PythonOptions {
  /** Python interpreter. */
  readonly python: string;
  /** Directories to look for the user's modules in. */
  readonly pythonPath: readonly string[];
  /** Threads of torch: OpenMP's must be known before Python starts. */
  readonly threads: number;
  /** Seconds that a question may take. */
  readonly limitSeconds: number;
  readonly signal: AbortSignal;
  /** What is loaded: a file with a function `rpc` from a JSON text to a JSON text that never raises. */
  readonly shim?: string;
}

/** What is used of pythonia; its own types say `any`. */
const bridge = z.object({
  python: z.custom<((file: string) => Promise<unknown>) & { exit(): void }>((value) => typeof value === "function"),
  com: z.custom<{ readonly proc: ChildProcess | null }>((value) => typeof value === "object" && value !== null),
});

const answer = z.union([
  z.strictObject({ ok: z.unknown() }),
  z.strictObject({
    error: z.strictObject({ kind: z.enum(["refused", "failed"]), message: z.string(), traceback: z.string() }),
  }),
]);

const KILL_AFTER_MILLISECONDS = 3000;
/** With torch to import, on a machine that has other work: what is asked later is limited by itself. */
const SECONDS_TO_START = 120;

/** pythonia's own limit: none, for its timer would keep Node alive after a call that is never answered. */
const NO_LIMIT = "0";

export class PythonObjects {
  readonly #rpc: (text: string) => Promise<unknown>;
  readonly #options: PythonOptions;
  readonly #exited: Promise<string>;
  readonly #end: () => void;
  readonly pid: number | undefined;

  private constructor(
    rpc: (text: string) => Promise<unknown>,
    options: PythonOptions,
    child: Child,
    pid: number | undefined,
  ) {
    this.#rpc = rpc;
    this.#options = options;
    this.#exited = child.exited;
    this.#end = child.end;
    this.pid = pid;
  }

  /** @throws IbatchError when Python cannot be started or ends at once; Interrupted. */
  static async start(options: PythonOptions): Promise<PythonObjects> {
    const { python, limitSeconds, signal, shim = join(packageRoot, "py_validate", "shim.py") } = options;
    if (isAbsolute(python) && !existsSync(python)) throw surroundingsError(`there is no Python at ${python}`);
    let child: Child | undefined;
    const loading = withEnvironment(environmentOf(options), async () => {
      const module: unknown = await import("pythonia");
      const { python: load, com } = bridge.parse(Reflect.get(Object(module), "default"));
      const loaded = load(shim); // starts Python where an earlier one has ended
      loaded.catch(() => {});
      child = watch(com.proc, () => load.exit());
      return { loaded, com };
    });
    const { loaded, com } = await loading;
    const started = child ?? watch(null, () => {});
    try {
      const toStart = Math.max(limitSeconds, SECONDS_TO_START);
      const ready = guarded(loaded, { exited: started.exited, limitSeconds: toStart, what: "starting" });
      const module = await unlessInterrupted(signal, ready);
      return new PythonObjects((text) => callRpc(module, text, shim), options, started, com.proc?.pid);
    } catch (error) {
      started.end();
      await started.exited;
      throw error;
    }
  }

  /**
   * Calls by name, on an object or on none, and checks what comes back.
   * @throws IbatchError: `usage` where Python refuses what it was given, `run` where the code raised, Python ended or did
   * not answer in time (it is ended then); Interrupted.
   */
  async ask<T>(call: string, args: Readonly<Record<string, unknown>>, schema: z.ZodType<T>, on?: number): Promise<T> {
    const { limitSeconds, signal } = this.#options;
    const question = this.#rpc(JSON.stringify({ call, on: on ?? null, arguments: args }));
    const asked = guarded(question, { exited: this.#exited, limitSeconds, what: `\`${call}\`` });
    const text = await unlessInterrupted(signal, asked);
    const parsed = answer.parse(JSON.parse(z.string().parse(text)));
    if ("ok" in parsed) return schema.parse(parsed.ok);
    const { kind, message } = parsed.error;
    if (kind === "refused") throw usageError(message);
    throw new IbatchError("run", `${call} failed in Python: ${message}`, { cause: parsed.error.traceback });
  }

  /** Ends Python, whatever it does. */
  async end(): Promise<void> {
    this.#end();
    await this.#exited;
  }
}

/** pythonia's proxies forget their path once they are called, so `rpc` is looked up each time. */
async function callRpc(module: unknown, text: string, shim: string): Promise<unknown> {
  const rpc: unknown = Reflect.get(Object(module), "rpc");
  if (typeof rpc !== "function") throw new Error(`${shim} has no function rpc`);
  return await Reflect.apply(rpc, module, [text]);
}

interface Child {
  /** Resolves when it is gone, with how it went. */
  readonly exited: Promise<string>;
  end(): void;
}

function watch(proc: ChildProcess | null, exit: () => void): Child {
  if (proc === null) return { exited: Promise.resolve("no process"), end: () => {} };
  const killAtExit = () => proc.kill("SIGKILL");
  process.once("exit", killAtExit);
  let timer: NodeJS.Timeout | undefined;
  const exited = new Promise<string>((resolve) => {
    const gone = (how: string) => {
      process.removeListener("exit", killAtExit);
      clearTimeout(timer);
      resolve(how);
    };
    proc.once("error", (error) => gone(error.message));
    proc.once("exit", (code, signal) => gone(signal === null ? `exit code ${code}` : `signal ${signal}`));
  });
  let ending = false;
  const end = () => {
    if (ending) return;
    ending = true;
    timer = setTimeout(() => proc.kill("SIGKILL"), KILL_AFTER_MILLISECONDS);
    exit(); // SIGTERM, and the end of the bridge's own timer
  };
  return { exited, end };
}

interface Guard {
  readonly exited: Promise<string>;
  readonly limitSeconds: number;
  readonly what: string;
}

/** The answer, unless Python ends first or takes too long: pythonia would wait for ever. */
async function guarded(work: Promise<unknown>, { exited, limitSeconds, what }: Guard): Promise<unknown> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new IbatchError("run", `Python did not answer within ${limitSeconds} s (${what}): raise --limit`)),
      limitSeconds * 1000,
    );
  });
  const died = exited.then((how): never => {
    throw new IbatchError("run", `Python ended (${how}) while it was asked for ${what}; what it said is above`);
  });
  died.catch(() => {});
  try {
    return await Promise.race([work, late, died]);
  } catch (error) {
    if (error instanceof IbatchError) throw error;
    const lines = String(error instanceof Error ? error.stack : error)
      .trim()
      .split("\n");
    throw new IbatchError("run", `Python failed (${what}): ${lines.at(-1)?.trim()}`, { cause: error });
  } finally {
    clearTimeout(timer);
  }
}

function environmentOf({ python, pythonPath, threads }: PythonOptions): Record<string, string> {
  const theirs = (process.env.PYTHONPATH ?? "").split(delimiter).filter(Boolean);
  return {
    PYTHON_BIN: python,
    REQ_TIMEOUT: NO_LIMIT,
    PYTHONPATH: [packageRoot, ...pythonPath, ...theirs].map((path) => resolve(path)).join(delimiter),
    ...Object.fromEntries(["OMP", "MKL", "OPENBLAS"].map((library) => [`${library}_NUM_THREADS`, String(threads)])),
  };
}

/** pythonia reads our own environment when it is imported and when it starts Python. */
async function withEnvironment<T>(changes: Readonly<Record<string, string>>, act: () => Promise<T>): Promise<T> {
  const before = Object.keys(changes).map((name) => [name, process.env[name]] as const);
  Object.assign(process.env, changes);
  try {
    return await act();
  } finally {
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  }
}
