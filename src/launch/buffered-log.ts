/** What backends and orders say, on its way into the record's log. */
import { asError } from "../errors.js";

/** Characters that may wait to be written. */
const WAITING_LIMIT = 2 ** 20;
/** Also empty lines take their place. */
const LINES_LIMIT = 10_000;
const FLUSH_MILLISECONDS = 250;

/** Takes lines at any rate and never throws: they are written some at a time, and let go where they cannot be written. */
export class BufferedLog {
  #waiting: string[] = [];
  #waitingLength = 0;
  #timer: NodeJS.Timeout | undefined;
  #failure: Error | undefined;
  readonly #write: (lines: readonly string[]) => void;

  /** @param write may throw. */
  constructor(write: (lines: readonly string[]) => void) {
    this.#write = write;
  }

  /** Why something was let go, the first time. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  readonly add = (line: string): void => {
    this.#waiting.push(line);
    this.#waitingLength += line.length;
    if (this.#waitingLength > WAITING_LIMIT || this.#waiting.length >= LINES_LIMIT) this.flush();
    else this.#timer ??= setTimeout(() => this.flush(), FLUSH_MILLISECONDS);
  };

  /** Writes what waits. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#waiting.length === 0) return;
    const lines = this.#waiting;
    this.#waiting = [];
    this.#waitingLength = 0;
    try {
      this.#write(lines);
    } catch (error) {
      this.#failure ??= asError(error);
    }
  }
}
