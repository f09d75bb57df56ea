/** A thread that a user's order runs in: whatever its code does, it does there, and the controller goes on. */
import { join } from "node:path";
import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from "node:worker_threads";
import { Interrupted } from "../../errors.js";
import { errorText } from "../../orders/declared.js";
import { packageRoot } from "../../package-root.js";
import { whenAborted } from "../../when-aborted.js";
import type { GraphFile } from "./graph.js";
import { tellLines } from "./lines.js";
import type { Answer, Exchanges, Imported, Question, ThreadData } from "./messages.js";
import { Output } from "./output.js";
import { placed } from "./placed.js";

/** A thread loads JavaScript: the built package's, also where tests run the sources. */
const CODE = join(packageRoot, "dist", "order-files", "order-thread", "thread.js");

/** How long an answer may take. */
export interface Limit {
  readonly seconds: number;
  /** The setting that says so. */
  readonly setBy?: string;
  /** When it is over, by `performance.now()`, where several answers have it together; else each has it from its question on. */
  readonly until?: number;
}

/** The limit from now on, for all the answers to come together. */
export const fromNow = (limit: Limit): Limit => ({ ...limit, until: performance.now() + 1000 * limit.seconds });

/** For an import, and for what an order says of itself: all but the work of an epoch. */
export const WORD: Limit = { seconds: 60 };

export interface ThreadOptions {
  /** The order's file. */
  readonly entry: string;
  /** Its files as another thread loaded them; none: as they lie there. */
  readonly files: readonly GraphFile[];
  /** Ends the thread at once, whatever it is doing. */
  readonly signal: AbortSignal;
  /** Is told each line that the user's code writes. */
  readonly say: (line: string) => void;
}

interface Pending {
  readonly resolve: (message: unknown) => void;
  readonly reject: (error: Error) => void;
}

export class OrderThread {
  readonly #entry: string;
  readonly #worker: Worker;
  readonly #port: MessagePort;
  /** Resolves when all that the user's code wrote was told. */
  readonly #told: Promise<unknown>;
  #pending: Pending | undefined;
  #graceSeconds = 0;
  /** Why nothing can be asked any more. */
  #over: Error | undefined;

  private constructor({ entry, files, signal, say }: ThreadOptions) {
    const { port1, port2 } = new MessageChannel();
    const written = new MessageChannel();
    const output = new Output(written.port1);
    const workerData: ThreadData = { entry, files, port: port2, output: written.port2 };
    this.#entry = entry;
    this.#port = port1;
    this.#worker = new Worker(CODE, {
      ...{ workerData, transferList: [port2, written.port2], execArgv: [] },
      ...{ stdout: true, stderr: true },
    });
    this.#told = Promise.all([tellLines(output.stdout, say), tellLines(output.stderr, say)]);
    const interrupt = () => {
      const end = () => this.#endWith(new Interrupted());
      if (this.#graceSeconds === 0) end();
      else setTimeout(end, 1000 * this.#graceSeconds).unref();
    };
    port1.on("message", (message: unknown) => this.#take()?.resolve(message));
    this.#worker.on("error", (error) =>
      this.#endedWith(new Error(`nobody caught ${errorText(placed(error, entry))} in ${entry}`)),
    );
    this.#worker.on("exit", (code) => {
      forget();
      output.end();
      this.#endedWith(new Error(`${entry} called process.exit(${code})`));
    });
    // Only who waits for an answer keeps the program running.
    this.#worker.unref();
    port1.unref();
    const forget = whenAborted(signal, interrupt);
  }

  /** Starts a thread that imports the file. Rejects where that ends the thread, or takes more than a minute; Interrupted. */
  static async start(options: ThreadOptions): Promise<{ thread: OrderThread; imported: Imported }> {
    const thread = new OrderThread(options);
    const imported = await thread.#next<Imported>(WORD);
    return { thread, imported };
  }

  /** Rejects with what the order's code threw; or where the thread ended, or took too long and was ended; Interrupted. */
  async ask<Q extends Question>(question: Q, limit: Limit): Promise<Exchanges[Q["subject"]]["answer"]> {
    const message = this.#next<Answer<Q["subject"]>>(limit);
    this.#port.postMessage(question);
    const said = await message;
    if ("failed" in said) throw new Error(said.failed);
    return said.answer;
  }

  /** From now on it is ended so long after the user stops the run, and not at once. */
  giveGrace(seconds: number): void {
    this.#graceSeconds = seconds;
  }

  async stop(): Promise<void> {
    this.#endWith(new Error("the thread was stopped"));
    await this.#worker.terminate();
    await this.#told;
  }

  /** What the thread posts next. */
  #next<T>({ seconds, setBy, until }: Limit): Promise<T> {
    const left = until === undefined ? 1000 * seconds : Math.max(0, until - performance.now());
    const by = setBy === undefined ? "" : ` (${setBy})`;
    return new Promise((resolve, reject) => {
      if (this.#over !== undefined) return reject(this.#over);
      const timer = setTimeout(
        () => this.#endWith(new Error(`${this.#entry} gave no answer within ${seconds} s${by}`)),
        left,
      );
      this.#pending = {
        resolve: (message) => {
          clearTimeout(timer);
          resolve(message as T); // both ends are ours: a question has its answer
        },
        reject: (error) => {
          clearTimeout(timer);
          reject(error);
        },
      };
    });
  }

  #take(): Pending | undefined {
    const pending = this.#pending;
    this.#pending = undefined;
    return pending;
  }

  /** It ended by itself. What it posted before may be heard of after its end. */
  #endedWith(reason: Error): void {
    const last = receiveMessageOnPort(this.#port);
    if (last !== undefined) this.#take()?.resolve(last.message);
    this.#endWith(reason);
  }

  /** Ends the thread; the first reason stays. */
  #endWith(reason: Error): void {
    this.#over ??= reason;
    this.#take()?.reject(this.#over);
    void this.#worker.terminate();
  }
}
