// The real command with the real backend, as a user would give it.
import { spawn } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { kill, MARK, processesIn } from "./processes.mjs";

export const ROOT = fileURLToPath(new URL("..", import.meta.url));
export const EXPERIMENT = join(ROOT, "chaos", "experiment");
/** One that takes longer hangs: an undisturbed one takes seconds. */
const MOST_SECONDS = 600;

export class Command {
  /** What it said on standard error, line by line. */
  lines = [];
  startedAt = performance.now();
  isOver = false;
  #child;
  #folder;
  #listeners = new Set();

  /**
   * @param {{ python: string, out: string, folder: string, settings?: string[], wrap?: string[], backends?: string[] }} how
   *   `folder`: of its temporary files; `wrap`: a program with arguments that starts it; `backends`: endpoints of those
   *   that run already, else it starts its own.
   */
  constructor({ python, out, folder, settings = [], wrap = [], backends }) {
    const [program, ...args] = [
      ...wrap,
      process.execPath,
      join(ROOT, "dist", "cli", "main.js"),
      ...argsOf(out, settings, backends),
    ];
    this.#folder = folder;
    this.#child = spawn(program, args, {
      cwd: ROOT,
      env: environmentOf({ python, folder }),
      stdio: ["ignore", "ignore", "pipe"],
      detached: true, // in a process group of its own, which a signal can be sent to
    });
    this.#listen();
    this.ended = new Promise((resolve) => {
      this.#child.on("close", (code, signal) => {
        this.isOver = true;
        resolve({ code, signal, seconds: (performance.now() - this.startedAt) / 1000 });
      });
    });
  }

  get pid() {
    return this.#child.pid;
  }

  signal(name) {
    return !this.isOver && kill(this.pid, name);
  }

  /** Hears each line of standard error as it comes. Returns what ends that. */
  onLine(listener) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** How it ended. One that hangs is ended with all that it started. */
  async end() {
    const timer = setTimeout(() => {
      this.hung = true;
      for (const { pid } of processesIn(this.#folder)) kill(pid, "SIGKILL");
    }, MOST_SECONDS * 1000);
    const ended = await this.ended;
    clearTimeout(timer);
    return { ...ended, hung: this.hung === true, lastLine: this.lines.at(-1) ?? "" };
  }

  #listen() {
    let rest = "";
    this.#child.stderr.setEncoding("utf8").on("data", (text) => {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        this.lines.push(line);
        for (const listener of this.#listeners) listener(line);
      }
    });
  }
}

/** `folder`: of temporary files, and by which what was started is found. */
export const environmentOf = ({ python, folder }) => ({
  ...process.env,
  ...{ IBATCH_PYTHON: python, OMP_NUM_THREADS: "1", NO_COLOR: "1", PYTHONDONTWRITEBYTECODE: "1" },
  ...{ [MARK]: folder, TMPDIR: join(folder, "t"), CHAOS_PLANNING: join(folder, "planning") },
  TORCHINDUCTOR_CACHE_DIR: join(folder, "torch"), // torch keeps it for the next program, below TMPDIR otherwise
});

const argsOf = (out, settings, backends) => [
  ...["run", join(EXPERIMENT, "chaos.yaml"), "--out", out],
  ...(backends === undefined
    ? ["--python-path", EXPERIMENT, "--allow-import", "chaos_net"]
    : ["--backend", backends.join(",")]),
  ...settings.flatMap((setting) => ["--set", setting]),
];
