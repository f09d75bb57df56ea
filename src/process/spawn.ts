/** The only file that starts processes: Python programs of ours, each at the head of a process group of its own, and git. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { delimiter, resolve } from "node:path";
import { asError, type IbatchError, surroundingsError } from "../errors.js";

export type Child = ChildProcess;

export interface PythonModule {
  /** Python interpreter. */
  readonly python: string;
  /** Directory that holds `py_backend`. */
  readonly packageRoot: string;
  /** What follows `python -m`. */
  readonly module: string;
  readonly args: readonly string[];
  readonly threads: number;
  /** Beside what this process has; undefined: without that. */
  readonly environment?: Readonly<Record<string, string | undefined>> | undefined;
}

/** Of standard input, output and error, numbers 0 to 2, it is the next one. */
export const READY_CHANNEL = 3;

export const cannotStart = (python: string, error: Error): IbatchError =>
  surroundingsError(
    `Python at ${python} cannot be started: ${whyNot(error)}: name one that has torch, or its environment's folder, ` +
      "with --python or IBATCH_PYTHON",
  );

function whyNot(error: Error): string {
  const code = "code" in error ? error.code : undefined;
  if (code === "ENOENT") return "there is no such program";
  return code === "EACCES" ? "it is no program, or not yours to run" : error.message;
}

/**
 * Starts it with pipes to its standard input, output and error, and one more that it may say on that it is ready.
 * @throws IbatchError for some of the reasons why it cannot be started; others are an event of the child.
 */
export function spawnPython(module: PythonModule): Child {
  try {
    return spawned(module);
  } catch (error) {
    throw cannotStart(module.python, asError(error));
  }
}

function spawned({ python, packageRoot, module, args, threads, environment }: PythonModule): Child {
  const theirs = (process.env.PYTHONPATH ?? "").split(delimiter).filter(Boolean);
  const pythonPath = [packageRoot, ...theirs].map((path) => resolve(path)).join(delimiter);
  return spawn(python, ["-m", module, ...args], {
    stdio: ["pipe", "pipe", "pipe", "pipe"],
    cwd: packageRoot, // python -m looks there first, and the user's directory may hold a file of any name
    // A process group of its own: Ctrl-C at the terminal is for the controller, which ends the backend in order.
    detached: process.platform !== "win32",
    env: {
      ...process.env,
      ...environment,
      PYTHONPATH: pythonPath,
      OMP_NUM_THREADS: String(threads),
      PYTHONUNBUFFERED: "1", // what it prints is there when it dies
      PYTHONFAULTHANDLER: "1", // and where it was when it crashed, or hung and got SIGABRT
    },
  });
}

const GIT_MILLISECONDS = 10_000;

/**
 * The commit of the checkout whose top this directory is, with `+changes` where its files differ; undefined where it is
 * none, also within another's: what is installed in a user's repository is not of its commit.
 */
export function gitCommit(directory: string): string | undefined {
  const git = (...args: string[]) =>
    execFileSync("git", ["-C", directory, ...args], {
      encoding: "utf8",
      env: { ...withoutRepository(process.env), GIT_OPTIONAL_LOCKS: "0" }, // the index is the user's to write
      stdio: ["ignore", "pipe", "ignore"],
      timeout: GIT_MILLISECONDS,
    }).trim();
  try {
    if (git("rev-parse", "--show-prefix") !== "") return undefined;
    const commit = git("rev-parse", "HEAD");
    // What is not in it may be a run directory, or keys; code of the user's is recorded by its hash.
    return git("status", "--porcelain", "--untracked-files=no") === "" ? commit : `${commit}+changes`;
  } catch {
    return undefined;
  }
}

/** Hooks of git say by these variables which repository they are in, wherever a command looks. */
const withoutRepository = (env: NodeJS.ProcessEnv): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(env).filter(([name]) => !/^GIT_(DIR|WORK_TREE|INDEX_FILE|PREFIX)$/.test(name)));
