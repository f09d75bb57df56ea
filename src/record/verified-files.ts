/** The files of one run's directory as they are read: what its `SHA256SUMS` lists is checked against it. */
import { join } from "node:path";
import type { z } from "zod";
import type { IbatchError } from "../errors.js";
import { CHECKSUMS, type Checksum, type Checksums, checksumOf, parseChecksums } from "./checksums.js";
import {
  damage,
  isThere,
  looking,
  parseJson,
  readBytes,
  readJson,
  sizeOfFile,
  Unreadable,
  unreadable,
  wholeValues,
} from "./read-file.js";
import { isFinished, type RunDocument, runDocument } from "./run-document.js";
import { RUN_DOCUMENT, wholeFiles } from "./run-files.js";

/** Whatever follows from a run follows from these: they are always checked, the other arrays when they are read. */
const ALWAYS_CHECKED = /^(run\.json|(metrics|timings)\.jsonl|test-predictions\.u32|orders\/\d+\.json)$/;

/** Of these, those that whoever opens a finished run parses next. */
const PARSED_NEXT = /^(metrics|timings)\.jsonl$/;

export class RunFiles {
  readonly #remedy: string;
  readonly #verified = new Set<string>();
  /** Checked and not parsed yet, so that a file is read once. */
  readonly #held = new Map<string, Buffer>();
  #isListRead = false;
  #checksums: Checksums | undefined;

  /** `remedy`: what to do about damage. */
  constructor(
    readonly directory: string,
    remedy = `remove ${directory}, and the same command does this run again`,
  ) {
    this.#remedy = remedy;
  }

  /** Whether the run recorded it: it is there, or is missing and should be there. */
  has(name: string): boolean {
    return this.listed?.has(name) || isThere(join(this.directory, name));
  }

  /**
   * `run.json`; of a run that came to its end, with a first look at all its files: that they are there, with their
   * bytes, and that those which results follow from are what was recorded.
   * @throws IbatchError that names the file that is not, as do all below.
   */
  document(): RunDocument {
    const document = this.#reading(RUN_DOCUMENT, () => readJson(join(this.directory, RUN_DOCUMENT), runDocument));
    if (document.checksums === undefined && !isFinished(document)) this.#forgetList();
    else if (document.checksums !== undefined || this.listed !== undefined) this.#checkAll();
    return document;
  }

  bytes(name: string): Buffer {
    return this.parsed(name, (bytes) => bytes);
  }

  json<T>(name: string, schema: z.ZodType<T>): T {
    return this.parsed(name, (bytes) => parseJson(bytes.toString("utf8"), schema));
  }

  u32(name: string): Uint32Array {
    return this.parsed(name, (bytes) => new Uint32Array(wholeValues(bytes)));
  }

  f32(name: string): Float32Array {
    return this.parsed(name, (bytes) => new Float32Array(wholeValues(bytes)));
  }

  /** What `parse` makes of the file; it throws `Unreadable` where it cannot. */
  parsed<T>(name: string, parse: (bytes: Buffer) => T): T {
    return this.#reading(name, () => parse(this.#verifiedBytes(name)));
  }

  /** Bytes; undefined where there is no such file. */
  size(name: string): number | undefined {
    const path = join(this.directory, name);
    return isThere(path) ? this.#reading(name, () => sizeOfFile(path)) : undefined;
  }

  /** Checks the arrays, too. */
  verifyAll(): void {
    for (const name of this.listed?.keys() ?? []) {
      if (!this.#verified.has(name)) this.bytes(name);
    }
  }

  /** `first`: what is worth trying before the run is given up. */
  damaged(name: string, why: Unreadable, first = ""): IbatchError {
    return unreadable(join(this.directory, name), why, `${first}${this.#remedy}`);
  }

  #checkAll(): void {
    const checksums = this.listed ?? this.#readList(); // throws where it is missing
    for (const [name, { bytes }] of checksums) this.#reading(name, () => this.#checkSize(name, bytes));
    for (const name of this.#reading("", () => looking(this.directory, () => wholeFiles(this.directory)))) {
      if (!checksums.has(name)) throw this.damaged(name, damage(`${CHECKSUMS} does not list it`));
    }
    for (const name of checksums.keys()) {
      if (!ALWAYS_CHECKED.test(name)) continue;
      const bytes = this.bytes(name);
      if (PARSED_NEXT.test(name)) this.#held.set(name, bytes);
    }
  }

  /** What `SHA256SUMS` says; undefined where there is none. */
  get listed(): Checksums | undefined {
    if (!this.#isListRead && isThere(join(this.directory, CHECKSUMS))) this.#checksums = this.#readList();
    this.#isListRead = true;
    return this.#checksums;
  }

  /** One that a kill left behind, before the last `run.json`, says nothing. */
  #forgetList(): void {
    this.#isListRead = true;
    this.#checksums = undefined;
  }

  #readList(): Checksums {
    const path = join(this.directory, CHECKSUMS);
    return this.#reading(CHECKSUMS, () => parseChecksums(readBytes(path).toString("utf8")));
  }

  #checkSize(name: string, recorded: number): void {
    const bytes = sizeOfFile(join(this.directory, name));
    if (bytes !== recorded) throw damage(`it has ${bytes} bytes, the run recorded ${recorded}`);
  }

  #verifiedBytes(name: string): Buffer {
    const held = this.#held.get(name);
    this.#held.delete(name);
    if (held !== undefined) return held;
    const bytes = readBytes(join(this.directory, name));
    const listed = this.listed;
    if (listed !== undefined && !this.#verified.has(name)) verify(bytes, listed.get(name));
    this.#verified.add(name);
    return bytes;
  }

  #reading<T>(name: string, act: () => T): T {
    try {
      return act();
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error;
      throw this.damaged(name, error);
    }
  }
}

function verify(bytes: Uint8Array, recorded: Checksum | undefined): void {
  if (recorded === undefined) throw damage(`${CHECKSUMS} does not list it`);
  const seen = checksumOf(bytes);
  if (seen.bytes !== recorded.bytes) throw damage(`it has ${seen.bytes} bytes, the run recorded ${recorded.bytes}`);
  if (seen.sha256 !== recorded.sha256) {
    throw damage(`it is not what the run recorded: SHA-256 ${seen.sha256}, ${CHECKSUMS} has ${recorded.sha256}`);
  }
}
