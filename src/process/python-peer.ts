/** A Python program of ours that stays: a question a line on its standard input, an answer a line on its standard output. */
import { z } from "zod";
import { IbatchError, surroundingsError, unlessInterrupted, usageError } from "../errors.js";
import { endedWith } from "./fault-dump.js";
import { LastLines, onLines, withLastLines } from "./output-lines.js";
import { describeEnding, type Ending, ProcessGroup } from "./process-group.js";
import { EXIT_SURROUNDINGS } from "./python-program.js";
import { cannotStart, spawnPython } from "./spawn.js";

export interface PeerProgram {
  /** Python interpreter. */
  readonly python: string;
  /** Directory that holds our Python packages. */
  readonly packageRoot: string;
  /** What follows `python -m`. */
  readonly module: string;
  readonly threads: number;
  /** Beside what this process has. */
  readonly environment?: Readonly<Record<string, string>> | undefined;
  /** Ends what is waited for. */
  readonly signal: AbortSignal;
}

const answer = z.union([
  z.strictObject({ ok: z.unknown() }),
  z.strictObject({ refused: z.object({ code: z.string(), message: z.string() }) }),
]);

const LINES_KEPT = 40;

export class PythonPeer {
  readonly #program: PeerProgram;
  readonly #group: ProcessGroup;
  readonly #stdin: NodeJS.WritableStream | null;
  readonly #said = new LastLines(LINES_KEPT);
  #answered: (line: string) => void = () => {};

  /** @throws IbatchError for some of the reasons why it cannot be started; others show at the first question. */
  constructor(program: PeerProgram) {
    this.#program = program;
    const child = spawnPython({ ...program, args: [] });
    this.#group = new ProcessGroup(child);
    this.#stdin = child.stdin;
    if (child.stdout !== null) onLines(child.stdout, (line) => this.#answered(line));
    if (child.stderr !== null) onLines(child.stderr, this.#said.add);
  }

  /**
   * One question at a time.
   * @throws IbatchError: `usage` where it refuses what it was given; where it ended, with what it said last; Interrupted.
   */
  async ask<T>(question: Readonly<Record<string, unknown>>, schema: z.ZodType<T>): Promise<T> {
    const line = new Promise<string>((resolve) => {
      this.#answered = resolve;
    });
    this.#stdin?.write(`${JSON.stringify(question)}\n`);
    const ended = this.#group.ended.then((ending) => {
      throw this.#whyEnded(ending);
    });
    ended.catch(() => {}); // it may end later, when nobody asks
    const read = answer.parse(JSON.parse(await unlessInterrupted(this.#program.signal, Promise.race([line, ended]))));
    if ("refused" in read) throw usageError(read.refused.message);
    return schema.parse(read.ok);
  }

  /** Ends it, whatever it does, with all that it started. */
  async end(): Promise<void> {
    await this.#group.kill();
  }

  #whyEnded(ending: Ending): IbatchError {
    const { python, module } = this.#program;
    if ("notStarted" in ending) return cannotStart(python, ending.notStarted);
    const { lines } = this.#said;
    if (ending.code === EXIT_SURROUNDINGS) return surroundingsError(lines.at(-1) ?? `${module} cannot run (${python})`);
    const { how, said } = endedWith(describeEnding(ending), lines);
    return new IbatchError("run", `${module} ended (${python}): ${withLastLines(how, said.slice(-SAID))}`);
  }
}

/** Lines of a traceback that a sentence repeats. */
const SAID = 3;
