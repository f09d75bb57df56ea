/** A file by which its writer says that it lives: it is written anew every few seconds. */
import { closeSync, openSync, rmSync, statSync, writeSync } from "node:fs";

const BEAT_SECONDS = 5;

export class LivingFile {
  readonly #text: string;
  #file: number | undefined;
  #beat: NodeJS.Timeout | undefined;
  /** When it was made, by the clock of the file system, in milliseconds. */
  readonly madeAt: number;

  /** Throws the system's own errors; nothing is left of it then. `path`: a name that no other process uses. */
  constructor(path: string, text: string) {
    this.#text = text;
    const file = openSync(path, "wx");
    try {
      writeSync(file, text);
      this.madeAt = statSync(path).mtimeMs;
    } catch (error) {
      closeSync(file);
      rmSync(path, { force: true });
      throw error;
    }
    this.#file = file;
  }

  /** From now on, until it is closed. */
  keepSaying(): void {
    this.#beat = setInterval(() => this.sayAlive(), BEAT_SECONDS * 1000).unref();
  }

  /** In place, by the file that was opened, whoever has the name by now. */
  sayAlive(): void {
    if (this.#file === undefined) return;
    try {
      writeSync(this.#file, this.#text, 0);
    } catch {
      // a disk that refuses is told by what is recorded next
    }
  }

  /** Its names stay. */
  close(): void {
    clearInterval(this.#beat);
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }
}
