/** The backend and other Python programs of ours as child processes: the only file that starts processes. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { IbatchError, surroundingsError, unlessInterrupted } from "../errors.js";

/** What of the user's Python may run. */
export interface UserCode {
  /** Modules that may be imported, with their submodules. */
  readonly allowImport: readonly string[];
  /** Directories to look for modules in. */
  readonly pythonPath: readonly string[];
}

export const NO_USER_CODE: UserCode = { allowImport: [], pythonPath: [] };

export interface BackendProcessOptions {
  /** Python interpreter. */
  readonly python: string;
  /** Directory that holds `py_backend`. */
  readonly packageRoot: string;
  /** `auto`, `cpu` or `cuda:N`. */
  readonly device: string;
  readonly threads: number;
  /** `ipc` for a socket in a private directory, or tcp://127.0.0.1:PORT. */
  readonly listen: string;
  /** Modules of the user's that it may import, and directories to look for them in. */
  readonly userCode: UserCode;
  /** Seconds until it must listen: importing torch from a cold disk can take a minute. */
  readonly startSeconds: number;
  /** Ends the start. */
  readonly signal: AbortSignal;
  /** Gets each line of its standard error. */
  readonly onStderr?: ((line: string) => void) | undefined;
}

/** Exit codes of `python -m py_backend` that say whose fault it is. */
const EXIT_USAGE = 2;
const EXIT_SURROUNDINGS = 4;
const STDERR_LINES_KEPT = 40;
const MAX_SOCKET_DIRECTORY_BYTES = 80;

/** Steps of the ladder that ends a child: it was asked already when the first wait begins. */
const ASK_SECONDS = 5;
const TERMINATE_SECONDS = 3;

/** A running backend, started by us and ended by us. */
export class BackendProcess {
  readonly controlEndpoint: string;
  readonly pid: number;
  /** Resolves when the child is gone, with what it left behind. */
  readonly exited: Promise<string>;
  readonly #child: ChildProcess;
  readonly #cleanUp: () => void;

  private constructor(
    child: ChildProcess,
    pid: number,
    controlEndpoint: string,
    exited: Promise<string>,
    cleanUp: () => void,
  ) {
    this.#child = child;
    this.pid = pid;
    this.controlEndpoint = controlEndpoint;
    this.exited = exited;
    this.#cleanUp = cleanUp;
  }

  /**
   * Starts a backend and waits until it listens.
   * @throws IbatchError with what it said on standard error, when it ends or stays silent instead; Interrupted.
   */
  static async start(options: BackendProcessOptions): Promise<BackendProcess> {
    const socket = chooseEndpoint(options.listen);
    const child = spawnBackend(options, socket.listen);
    const endAtExit = () => {
      kill(child, "SIGKILL");
      socket.remove();
    };
    process.once("exit", endAtExit);
    const cleanUp = () => {
      process.removeListener("exit", endAtExit);
      socket.remove();
    };
    const stderr = keepLastLines(child, options.onStderr);
    const exited = new Promise<string>((resolve) => {
      child.once("close", (code, signal) => resolve(describeExit(code, signal, stderr)));
    });
    try {
      const control = await unlessInterrupted(options.signal, waitUntilReady(child, options, stderr));
      return new BackendProcess(child, child.pid ?? 0, control, exited, cleanUp);
    } catch (error) {
      kill(child, "SIGKILL");
      await gone(child); // it could still make its socket's directory
      cleanUp();
      throw error;
    }
  }

  /** Ends the child: the caller has asked it to (or cannot); its standard input closes; then SIGTERM; then SIGKILL. */
  async stop({ asked }: { asked: boolean }): Promise<void> {
    this.#child.stdin?.end();
    if (!(asked && (await this.#goneWithin(ASK_SECONDS)))) {
      kill(this.#child, "SIGTERM");
      if (!(await this.#goneWithin(TERMINATE_SECONDS))) kill(this.#child, "SIGKILL");
    }
    await this.exited;
    this.#cleanUp();
  }

  async #goneWithin(seconds: number): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<boolean>((resolve) => {
      timer = setTimeout(() => resolve(false), seconds * 1000);
    });
    const gone = await Promise.race([this.exited.then(() => true), late]);
    clearTimeout(timer);
    return gone;
  }
}

export interface PythonProgram {
  /** Python interpreter. */
  readonly python: string;
  /** Directory that holds `py_backend`. */
  readonly packageRoot: string;
  /** What follows `python -m`. */
  readonly module: string;
  /** What it gets on standard input. */
  readonly input: string;
  /** Seconds until it must have ended. */
  readonly limitSeconds: number;
  /** Ends it. */
  readonly signal: AbortSignal;
}

/**
 * Runs a program of ours on one thread to its end, and gives what it wrote on standard output. When this settles, the
 * program is gone.
 * @throws IbatchError with what it said on standard error, when it fails or takes too long; Interrupted.
 */
export async function runPython(program: PythonProgram): Promise<string> {
  const child = spawnPython({ ...program, args: [], threads: 1 });
  const endAtExit = () => kill(child, "SIGKILL");
  process.once("exit", endAtExit);
  try {
    return await unlessInterrupted(program.signal, outputOf(child, program));
  } finally {
    kill(child, "SIGKILL");
    await gone(child);
    process.removeListener("exit", endAtExit);
  }
}

function outputOf(child: ChildProcess, { python, module, input, limitSeconds }: PythonProgram): Promise<string> {
  const stderr = keepLastLines(child);
  let output = "";
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(surroundingsError(`${module} did not end within ${limitSeconds} s (${python})`)),
      limitSeconds * 1000,
    );
    child.once("error", (error) => {
      clearTimeout(timer);
      reject(cannotStart(python, error));
    });
    child.once("close", (code, signal) => {
      clearTimeout(timer);
      if (code === 0) return resolve(output);
      if (code === EXIT_SURROUNDINGS)
        return reject(surroundingsError(stderr.at(-1) ?? `${module} cannot run (${python})`));
      // Only we call it: what it finds wrong, we did wrong.
      reject(new IbatchError("bug", `${module} failed (${python}): ${describeExit(code, signal, stderr)}`));
    });
    child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
    child.stdin?.on("error", () => {}); // it ended before it read all: its exit tells why
    child.stdin?.end(input);
  });
}

const cannotStart = (python: string, error: Error): IbatchError =>
  surroundingsError(`Python at ${python} cannot be started: ${error.message}`);

/** The commit of the checkout at this directory, with `+changes` where files differ; undefined outside of one. */
export function gitCommit(directory: string): string | undefined {
  const git = (...args: string[]) =>
    execFileSync("git", ["-C", directory, ...args], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
  try {
    const commit = git("rev-parse", "HEAD");
    return git("status", "--porcelain") === "" ? commit : `${commit}+changes`;
  } catch {
    return undefined;
  }
}

interface ChosenEndpoint {
  listen: string;
  remove(): void;
}

function chooseEndpoint(listen: string): ChosenEndpoint {
  if (listen !== "ipc") return { listen, remove: () => {} };
  if (process.platform === "win32") return { listen: "tcp://127.0.0.1:0", remove: () => {} };
  const parent = Buffer.byteLength(tmpdir()) > MAX_SOCKET_DIRECTORY_BYTES ? "/tmp" : tmpdir();
  const directory = resolve(mkdtempSync(join(parent, "ibatch-"))); // 0700
  return {
    listen: `ipc://${join(directory, "control")}`,
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
}

function spawnBackend(options: BackendProcessOptions, listen: string): ChildProcess {
  const { device, threads, userCode } = options;
  const args = [
    ...["--child", "--listen", listen, "--device", device, "--threads", String(threads)],
    ...userCode.allowImport.flatMap((module) => ["--allow-import", module]),
    ...userCode.pythonPath.flatMap((directory) => ["--python-path", resolve(directory)]),
  ];
  return spawnPython({ ...options, module: "py_backend", args });
}

interface PythonModule {
  readonly python: string;
  readonly packageRoot: string;
  readonly module: string;
  readonly args: readonly string[];
  readonly threads: number;
}

function spawnPython({ python, packageRoot, module, args, threads }: PythonModule): ChildProcess {
  const theirs = (process.env.PYTHONPATH ?? "").split(delimiter).filter(Boolean);
  const pythonPath = [packageRoot, ...theirs].map((path) => resolve(path)).join(delimiter);
  return spawn(python, ["-m", module, ...args], {
    stdio: ["pipe", "pipe", "pipe"],
    cwd: packageRoot, // python -m looks there first, and the user's directory may hold a file of any name
    // A process group of its own: Ctrl-C at the terminal is for the controller, which ends the backend in order.
    detached: process.platform !== "win32",
    env: { ...process.env, PYTHONPATH: pythonPath, OMP_NUM_THREADS: String(threads) },
  });
}

/** Signals the child and whatever it started (`--python` may be a script): all that is in its process group. */
function kill(child: ChildProcess, signal: NodeJS.Signals): void {
  const { pid, exitCode, signalCode } = child;
  if (pid === undefined || exitCode !== null || signalCode !== null) return;
  try {
    process.kill(process.platform === "win32" ? pid : -pid, signal);
  } catch {
    // it went meanwhile
  }
}

async function gone(child: ChildProcess): Promise<void> {
  const { pid, exitCode, signalCode } = child;
  if (pid !== undefined && exitCode === null && signalCode === null) await once(child, "exit");
}

function keepLastLines(child: ChildProcess, onLine: (line: string) => void = () => {}): string[] {
  const lines: string[] = [];
  if (child.stderr !== null) {
    createInterface({ input: child.stderr }).on("line", (line) => {
      onLine(line);
      lines.push(line);
      if (lines.length > STDERR_LINES_KEPT) lines.shift();
    });
  }
  return lines;
}

function waitUntilReady(
  child: ChildProcess,
  options: BackendProcessOptions,
  stderr: readonly string[],
): Promise<string> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(surroundingsError(`the backend did not start within ${options.startSeconds} s (${options.python})`)),
      options.startSeconds * 1000,
    );
    child.once("error", (error) => {
      clearTimeout(timer);
      reject(cannotStart(options.python, error));
    });
    child.once("close", (code, signal) => {
      clearTimeout(timer);
      const kind = code === EXIT_USAGE ? "usage" : "surroundings";
      const own = code === EXIT_USAGE || code === EXIT_SURROUNDINGS;
      const said = own ? (stderr.at(-1) ?? "") : describeExit(code, signal, stderr);
      reject(new IbatchError(kind, `the backend cannot start: ${said.replace(/^py_backend: /, "")}`));
    });
    if (child.stdout === null) return;
    const lines = createInterface({ input: child.stdout });
    lines.once("line", (line) => {
      clearTimeout(timer);
      const control = readReadyLine(line);
      if (control === undefined) reject(surroundingsError(`the backend's first line was not its endpoints: ${line}`));
      else resolve(control);
    });
  });
}

function readReadyLine(line: string): string | undefined {
  try {
    const ready: unknown = JSON.parse(line);
    if (typeof ready === "object" && ready !== null && "control" in ready && typeof ready.control === "string") {
      return ready.control;
    }
  } catch {
    // not JSON: told by the caller
  }
  return undefined;
}

function describeExit(code: number | null, signal: NodeJS.Signals | null, stderr: readonly string[]): string {
  const how = signal === null ? `exit code ${code}` : `signal ${signal}`;
  return stderr.length === 0 ? how : `${how}; its last lines:\n${stderr.join("\n")}`;
}
