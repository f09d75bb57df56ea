/** A user's own order: a module whose default export is an order definition, in JavaScript or TypeScript. */
import { asError, IbatchError, usageError } from "../errors.js";
import { CASES } from "../orders/conformance-cases.js";
import type { Declared } from "../orders/declared.js";
import { IN_A_ROW } from "../orders/kept-outside.js";
import { isTaken } from "../orders/ledger-options.js";
import type { Checked } from "./check-order.js";
import type { Choice } from "./choose-options.js";
import { findOrderFile } from "./find-order-file.js";
import { type GraphFile, importsOf } from "./order-thread/graph.js";
import type { Description } from "./order-thread/messages.js";
import { fromNow, type Limit, OrderThread, type ThreadOptions, WORD } from "./order-thread/order-thread.js";
import { threadedOrder } from "./order-thread/threaded-order.js";
import type { ReadScores, RunOrder } from "./run-order.js";

/** Where what a file's order does is heard of. */
export interface Listening {
  /** Ends its thread at once, whatever it is doing. */
  readonly signal: AbortSignal;
  /** Is told each line that its code writes. */
  readonly say: (line: string) => void;
}

export interface Running extends Listening {
  /** For an epoch. */
  readonly limit: Limit;
  /** How it comes by what it wants of runs recorded earlier. */
  readonly readScores?: ReadScores | undefined;
}

type Options = Readonly<Record<string, unknown>>;

/** Where it was that an order did not answer any more. */
function withCase(error: unknown, name: string | undefined): unknown {
  if (error instanceof IbatchError || name === undefined) return error;
  return new Error(`${asError(error).message}; the case under way: ${name}`, { cause: error });
}

/** Its code is imported in a thread; this asks what is to be known before a run, and is to be stopped then. */
export class OrderFile {
  readonly description: Description;
  /** Of the file itself. */
  readonly sha256: string;
  /** Of each file that it imports from beside it, by its path from the file's folder. */
  readonly imports: Readonly<Record<string, string>>;
  readonly #entry: string;
  readonly #files: readonly GraphFile[];
  readonly #thread: OrderThread;
  readonly #listening: Listening;

  private constructor({ entry, files, ...listening }: ThreadOptions, thread: OrderThread, description: Description) {
    this.#entry = entry;
    this.#thread = thread;
    this.#files = files;
    this.#listening = listening;
    this.description = description;
    this.sha256 = files.find(({ path }) => path === entry)?.sha256 ?? "";
    this.imports = importsOf(files, entry);
  }

  /**
   * Imports an order from a path, relative to `directory`, or from a package that is installed there. `where` stands
   * before what is wrong.
   * @throws IbatchError when there is none, it cannot be imported, or its default export is no order; Interrupted.
   */
  static async import(file: string, directory: string, where: string, listening: Listening): Promise<OrderFile> {
    const entry = findOrderFile(file, directory, where);
    const told = (text: string) => usageError(where === file ? text : `${where}: ${text}`); // it names the file
    const { thread, imported } = await OrderThread.start({ ...listening, entry, files: [] }).catch((error: unknown) => {
      throw error instanceof IbatchError ? error : told(`importing ${entry} failed: ${asError(error).message}`);
    });
    try {
      if ("refused" in imported) throw told(imported.refused);
      const { description, files } = imported;
      const taken = description.optionNames.find((option) => isTaken(option, description));
      if (taken !== undefined) {
        throw usageError(`${where}: option ${taken} of ${entry} stands for something else beside an order: rename it`);
      }
      return new OrderFile({ ...listening, entry, files }, thread, description);
    } catch (error) {
      await thread.stop();
      throw error;
    }
  }

  /** `given`: its own options, as the config has them. */
  choose(given: Options): Promise<Choice> {
    return this.#naming("says nothing of its options", this.#thread.ask({ subject: "choose", given }, WORD));
  }

  /**
   * As `checkAll`; and where no fault is found, what one thread makes in a row is asked of another one, place by place. The
   * limit is that of all three.
   */
  check(fixed: Options, limit: Limit): Promise<Checked> {
    return this.#naming("cannot be checked", this.#check(fixed, fromNow(limit)));
  }

  async #check(fixed: Options, limit: Limit): Promise<Checked> {
    const underWay = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
    const checked = await this.#thread.ask({ subject: "check", fixed, underWay }, limit).catch((error: unknown) => {
      throw withCase(error, CASES[Atomics.load(underWay, 0) - 1]?.name);
    });
    if ("mistake" in checked || checked.findings.length > 0) return checked;
    const rows = await this.#fresh(IN_A_ROW, (thread) => thread.ask({ subject: "rows", fixed }, limit));
    const alone = `${IN_A_ROW}, each made by itself`;
    const findings = await this.#fresh(alone, (thread) => thread.ask({ subject: "alone", rows }, limit));
    return { ...checked, findings };
  }

  /** What a thread answers that was asked nothing before. */
  async #fresh<T>(name: string, ask: (thread: OrderThread) => Promise<T>): Promise<T> {
    const starting = OrderThread.start({ ...this.#listening, entry: this.#entry, files: this.#files });
    const { thread } = await starting.catch((error: unknown) => {
      throw withCase(error, "its import by a fresh thread");
    });
    try {
      return await ask(thread);
    } catch (error) {
      throw withCase(error, name);
    } finally {
      await thread.stop();
    }
  }

  /** The order for a run, with options as `choose` gave them. */
  start(options: Options, declared: Declared, running: Running): RunOrder {
    const { description } = this;
    return threadedOrder({ ...running, description, declared, options, entry: this.#entry, files: this.#files });
  }

  stop(): Promise<void> {
    return this.#thread.stop();
  }

  async #naming<T>(what: string, answer: Promise<T>): Promise<T> {
    try {
      return await answer;
    } catch (error) {
      if (error instanceof IbatchError) throw error;
      throw new IbatchError("run", `order ${this.description.name} ${what}: ${asError(error).message}`, {
        cause: error,
      });
    }
  }
}
