/** A child at the head of its process group, and how all of that group comes to its end. */
import { atExit } from "../at-exit.js";
import { settlesWithin } from "./deadline.js";
import type { Child } from "./spawn.js";

/** How a child ended, or why it never began. */
export type Ending =
  | { readonly code: number | null; readonly signal: NodeJS.Signals | null }
  | { readonly notStarted: Error };

/** As `exit code 9` or `signal SIGKILL`. */
export function describeEnding(ending: Ending): string {
  if ("notStarted" in ending) return ending.notStarted.message;
  return ending.signal === null ? `exit code ${ending.code}` : `signal ${ending.signal}`;
}

/** Steps of the ladder that ends a child: it was asked already when the first wait begins. */
const ASK_SECONDS = 5;
const TERMINATE_SECONDS = 3;
/** A process that the kernel holds does not go even then. */
const KILL_SECONDS = 5;
/** What left the group may hold the child's output open for ever. */
const DRAIN_SECONDS = 1;

export class ProcessGroup {
  /** Resolves when the child is gone, whoever it left in its group was killed, and its output was read. Never rejects. */
  readonly ended: Promise<Ending>;
  readonly #child: Child;
  #isLed = true;

  constructor(child: Child) {
    this.#child = child;
    child.stdin?.on("error", () => {}); // it ended before it read all: its end tells why
    const forget = atExit(() => this.signal("SIGKILL"));
    const drained = new Promise<void>((resolve) => child.once("close", () => resolve()));
    this.ended = this.#leaderGone().then(async (ending) => {
      forget();
      if (!(await settlesWithin(DRAIN_SECONDS, drained))) for (const stream of child.stdio) stream?.destroy();
      return ending;
    });
  }

  /** 0 for one that could not be started. */
  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** To the child and to all that it started (`--python` may be a script), as long as the child is there. */
  signal(signal: NodeJS.Signals): void {
    const { pid } = this.#child;
    if (pid !== undefined && this.#isLed) send(process.platform === "win32" ? pid : -pid, signal);
  }

  /** To the child alone. */
  signalLeader(signal: NodeJS.Signals): void {
    const { pid } = this.#child;
    if (pid !== undefined && this.#isLed) send(pid, signal);
  }

  /** Ends it: its standard input closes (it was asked by other means, or could not be); then SIGTERM; then SIGKILL. */
  async stop({ asked }: { asked: boolean }): Promise<void> {
    this.#child.stdin?.end();
    if (asked && (await settlesWithin(ASK_SECONDS, this.ended))) return;
    this.signal("SIGTERM");
    if (await settlesWithin(TERMINATE_SECONDS, this.ended)) return;
    await this.kill();
  }

  async kill(): Promise<void> {
    this.signal("SIGKILL");
    await settlesWithin(KILL_SECONDS, this.ended);
  }

  #leaderGone(): Promise<Ending> {
    return new Promise((resolve) => {
      this.#child.once("error", (error) => {
        if (this.#child.pid === undefined) resolve({ notStarted: error });
      });
      this.#child.once("exit", (code, signal) => {
        this.signal("SIGKILL"); // at once, while the group's number cannot be another's
        this.#isLed = false;
        resolve({ code, signal });
      });
    });
  }
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // it went meanwhile
  }
}
