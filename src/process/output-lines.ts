/** What a child writes, line by line, in bounded memory. */
import type { Readable } from "node:stream";

/** Characters of a line that are kept. */
export const MAX_LINE_LENGTH = 2000;

/** Calls back with each line, as a terminal would show it: cut where it is too long, and without what `\r` wrote over. */
export function onLines(stream: Readable, onLine: (line: string) => void, maxLength = MAX_LINE_LENGTH): void {
  const line = new Line(maxLength);
  stream.setEncoding("utf8");
  stream.on("data", (text: string) => {
    const [first, ...others] = text.split("\n");
    line.add(first);
    for (const other of others) {
      onLine(line.take());
      line.add(other);
    }
  });
  stream.once("close", () => {
    if (!line.isEmpty) onLine(line.take());
  });
}

/** A line that grows, of which only the beginning is kept. */
class Line {
  readonly #maxLength: number;
  #kept = "";
  #dropped = 0;

  constructor(maxLength: number) {
    this.#maxLength = maxLength;
  }

  get isEmpty(): boolean {
    return this.#kept === "";
  }

  add(text: string): void {
    if (text === "") return;
    const rewritten = text.replace(/\r+$/, "").lastIndexOf("\r") + 1;
    if (rewritten > 0 || this.#kept.endsWith("\r")) this.#clear();
    const added = text.slice(rewritten);
    const fitting = added.slice(0, this.#maxLength - this.#kept.length);
    this.#kept += fitting;
    this.#dropped += added.length - fitting.length;
  }

  take(): string {
    const kept = this.#kept.replace(/\r+$/, "");
    const line = this.#dropped === 0 ? kept : `${kept} … (${this.#dropped} characters more)`;
    this.#clear();
    return line;
  }

  #clear(): void {
    this.#kept = "";
    this.#dropped = 0;
  }
}

const TOLD_LENGTH = 200;

/** A sentence of what ended, with what it said last: each line as far as fits into a sentence. */
export const withLastLines = (what: string, lines: readonly string[]): string =>
  lines.length === 0
    ? what
    : `${what}; its last lines: ${lines.map((line) => line.trim().slice(0, TOLD_LENGTH)).join(" | ")}`;

/** The newest lines, so many of them. */
export class LastLines {
  readonly #lines: string[] = [];
  readonly #count: number;

  constructor(count: number) {
    this.#count = count;
  }

  readonly add = (line: string): void => {
    this.#lines.push(line);
    if (this.#lines.length > this.#count) this.#lines.shift();
  };

  get lines(): readonly string[] {
    return this.#lines;
  }
}
