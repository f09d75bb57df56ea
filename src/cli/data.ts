import { stderr } from "node:process";
import { clearLine, cursorTo } from "node:readline";
import { type Downloading, download } from "../download/download.js";
import { size } from "../download/files.js";
import { type PublishedFile, SOURCES } from "../download/sources.js";
import { Interrupted } from "../errors.js";
import { dataDirectory } from "../launch/chosen-backend.js";
import { findNamed } from "../nearest.js";
import type { DataOptions } from "./data-command.js";
import { EXIT } from "./exit-codes.js";
import { note } from "./note.js";
import { duration, fit } from "./progress.js";

/** A server that sends nothing for so long is given up. */
const IDLE_MS = 60_000;

/** `ibatch data`: puts a dataset where the backend looks for it. */
export async function data(name: string, options: DataOptions, signal: AbortSignal): Promise<number> {
  const source = findNamed("dataset to download", SOURCES, name);
  const directory = dataDirectory(options);
  const shown = chooseDisplay(options.quiet);
  try {
    const { folder, fetched } = await download(source, directory, { ...shown, signal, idleMs: IDLE_MS });
    shown.end();
    const how = fetched.length === 0 ? "was there already" : `fetched ${fetched.join(", ")}`;
    process.stdout.write(`${name}: whole in ${folder} (${how})\n`);
    return EXIT.done;
  } catch (error) {
    shown.end();
    if (!(error instanceof Interrupted)) throw error;
    note(`ibatch: interrupted; what has come is kept in ${directory}; give the same command again to go on`);
    return EXIT.interrupted;
  }
}

interface Display extends Pick<Downloading, "received" | "failed" | "step"> {
  /** Leaves the terminal clean. */
  end(): void;
}

function chooseDisplay(quiet: boolean): Display {
  if (quiet) return { received: () => {}, failed: () => {}, step: () => {}, end: () => {} };
  const canRedraw = stderr.isTTY && process.env.NO_COLOR === undefined && process.env.TERM !== "dumb";
  return canRedraw ? redrawnLine() : plainLines();
}

/** Bytes a second of one file, without what was there before. */
class Speed {
  readonly #start = performance.now();
  readonly #before: number;

  constructor(before: number) {
    this.#before = before;
  }

  /** `12.3 of 26.4 MB`, how fast, and how long it will take. */
  parts(bytes: number, total: number): string[] {
    const seconds = (performance.now() - this.#start) / 1000;
    const rate = (bytes - this.#before) / seconds;
    const done = `${Math.floor((100 * bytes) / total)} %, ${size(bytes)} of ${size(total)}`;
    return seconds < 1 ? [done] : [done, `${size(Math.round(rate))}/s`, `${duration((total - bytes) / rate)} left`];
  }
}

/** Tells when another file begins, or the same from another host. */
function measuredBy(show: (file: PublishedFile, parts: readonly string[], host: string, isFirst: boolean) => void) {
  let current = "";
  let speed = new Speed(0);
  return (file: PublishedFile, bytes: number, host: string): void => {
    const isFirst = current !== `${file.name} ${host}`;
    if (isFirst) speed = new Speed(bytes);
    current = `${file.name} ${host}`;
    show(file, speed.parts(bytes, file.bytes), host, isFirst);
  };
}

const SECONDS_BETWEEN_LINES = 5;

/** For logs and pipes: each file's beginning, and then a line now and then. */
function plainLines(): Display {
  let lastLine = performance.now();
  const say = (line: string) => {
    note(line);
    lastLine = performance.now();
  };
  return {
    received: measuredBy((file, parts, host, isFirst) => {
      if (isFirst) say(`${file.name}: ${size(file.bytes)} from ${host}`);
      else if (performance.now() - lastLine > 1000 * SECONDS_BETWEEN_LINES) say(`${file.name}: ${parts.join(", ")}`);
    }),
    failed: (file, reason) => say(`${file.name}: ${reason}`),
    step: say,
    end: () => {},
  };
}

const REDRAWS_A_SECOND = 10;
const DEFAULT_COLUMNS = 80;

/** For terminals: one line, drawn again and again; what failed stays above it. */
function redrawnLine(): Display {
  let drawnAt = 0;
  const clear = () => {
    cursorTo(stderr, 0);
    clearLine(stderr, 0);
  };
  const draw = (parts: readonly string[]) => {
    clear();
    stderr.write(fit(parts, (stderr.columns ?? DEFAULT_COLUMNS) - 1));
    drawnAt = performance.now();
  };
  return {
    received: measuredBy((file, parts, host, isFirst) => {
      if (isFirst || performance.now() - drawnAt > 1000 / REDRAWS_A_SECOND) draw([file.name, ...parts, host]);
    }),
    failed: (file, reason) => {
      clear();
      note(`${file.name}: ${reason}`);
    },
    step: (what) => draw([what]),
    end: clear,
  };
}
