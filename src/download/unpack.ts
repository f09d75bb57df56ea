/**
 * Chosen members out of a .tar.gz.
 *
 * No library, as one would do more than is wanted here: a general unpacker turns the archive's paths, links, owners and
 * modes into files, and each of these has led out of the folder before. This reader creates nothing that the archive
 * names: only the members that are asked for by name are written, to paths that the caller gives. What the two archives
 * of CIFAR do not have (links, devices, long names, paths that lead out) is refused and not interpreted.
 * Format: POSIX.1-1988 ustar, https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html, "ustar Interchange
 * Format".
 */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { Interrupted, surroundingsError } from "../errors.js";
import { onDisk, writeAll } from "./files.js";

/** A member to write: to a path that is new, if it has this MD5. */
export interface Wanted {
  readonly to: string;
  readonly md5: string;
}

const BLOCK = 512;
const PIECE = 1 << 20;

/**
 * Writes each wanted member (by its path in the archive); other files of the archive are passed over.
 * @throws IbatchError for an archive that is not whole, lacks a member or holds what it must not; Interrupted.
 */
export async function unpack(archive: string, wanted: ReadonlyMap<string, Wanted>, signal: AbortSignal): Promise<void> {
  const gunzip = createGunzip();
  pipeline(createReadStream(archive), gunzip, { signal }).catch(() => {}); // what fails here comes out of gunzip, too
  try {
    await unpackFrom(new Bytes(gunzip), wanted);
  } catch (error) {
    if (signal.aborted) throw new Interrupted();
    const fault = faultOf(error);
    if (fault === undefined) throw error;
    throw surroundingsError(`${archive} ${fault}; remove it and give the same command again`, { cause: error });
  } finally {
    gunzip.destroy();
  }
}

/** What is wrong with the archive, as the end of a sentence that its name begins. */
class Fault extends Error {}

function faultOf(error: unknown): string | undefined {
  if (error instanceof Fault) return error.message;
  if (!(error instanceof Error) || !("code" in error) || !String(error.code).startsWith("Z_")) return undefined;
  return `is no whole gzip file (${error.message})`;
}

async function unpackFrom(bytes: Bytes, wanted: ReadonlyMap<string, Wanted>): Promise<void> {
  const lacking = new Set(wanted.keys());
  for (;;) {
    const block = await bytes.read(BLOCK);
    if (block.every((byte) => byte === 0)) break;
    const { path, length } = readHeader(block);
    const member = wanted.get(path);
    if (member === undefined) await bytes.skip(length);
    else if (!lacking.delete(path)) throw new Fault(`holds ${path} twice`);
    else await writeMember(bytes, path, length, member);
    await bytes.skip((BLOCK - (length % BLOCK)) % BLOCK);
  }
  if (lacking.size > 0) throw new Fault(`lacks ${[...lacking].join(", ")}`);
  await bytes.skipRest();
}

async function writeMember(bytes: Bytes, path: string, length: number, { to, md5 }: Wanted): Promise<void> {
  const hash = createHash("md5");
  const handle = await onDisk(to, () => open(to, "wx"));
  try {
    for (let position = 0; position < length; ) {
      const piece = await bytes.read(Math.min(PIECE, length - position));
      hash.update(piece);
      const start = position;
      await onDisk(to, () => writeAll(handle, piece, start));
      position += piece.length;
    }
    await onDisk(to, () => handle.sync());
  } finally {
    await handle.close();
  }
  const seen = hash.digest("hex");
  if (seen !== md5) throw new Fault(`holds ${path} with the MD5 ${seen}, expected ${md5}`);
}

/** Fields of the header: offset and length. */
const NAME = [0, 100] as const;
const LENGTH = [124, 12] as const;
const SUM = [148, 8] as const;
const TYPE = [156, 1] as const;
const MAGIC = [257, 6] as const;
const PREFIX = [345, 155] as const;

/** Files, directories, and the extended headers of files, which nothing here needs. */
const KNOWN_TYPES: ReadonlySet<string> = new Set(["", "0", "5", "x", "g"]);
const EXTENDED: ReadonlySet<string> = new Set(["x", "g"]);

/** Path and length of a member; an extended header has no path. */
function readHeader(block: Buffer): { path: string; length: number } {
  if (octal(block, SUM) !== sumOf(block)) throw new Fault("is no tar file: a header's checksum is wrong");
  // Only the POSIX form has a prefix; GNU's older one has times there.
  const prefix = text(block, MAGIC) === "ustar" ? text(block, PREFIX) : "";
  const path = prefix === "" ? text(block, NAME) : `${prefix}/${text(block, NAME)}`;
  const type = text(block, TYPE);
  if (!KNOWN_TYPES.has(type)) throw new Fault(`holds ${path}, which is a link or another special file (type ${type})`);
  if (path.startsWith("/") || /^[a-z]:/i.test(path) || path.split(/[\\/]/).includes("..")) {
    throw new Fault(`holds the path ${path}, which leads out of its folder`);
  }
  return { path: EXTENDED.has(type) ? "" : path, length: octal(block, LENGTH) };
}

function text(block: Buffer, [offset, length]: readonly [number, number]): string {
  const field = block.subarray(offset, offset + length);
  const end = field.indexOf(0);
  return field.toString("latin1", 0, end < 0 ? length : end);
}

function octal(block: Buffer, field: readonly [number, number]): number {
  const digits = text(block, field).trim();
  if (!/^[0-7]+$/.test(digits)) throw new Fault(`is no tar file: a header has ${JSON.stringify(digits)} for a number`);
  return Number.parseInt(digits, 8);
}

/** Sum of the header's bytes, those of the sum itself counted as spaces. */
function sumOf(block: Buffer): number {
  const [start, length] = SUM;
  return block.reduce((sum, byte, index) => sum + (index >= start && index < start + length ? 32 : byte), 0);
}

/** A stream, to be read in pieces of a chosen length. */
class Bytes {
  readonly #chunks: AsyncIterator<Buffer>;
  #rest: Buffer = Buffer.alloc(0);

  constructor(stream: AsyncIterable<Buffer>) {
    this.#chunks = stream[Symbol.asyncIterator]();
  }

  /** Exactly so many bytes. */
  async read(length: number): Promise<Buffer> {
    const pieces: Buffer[] = [];
    for (let lacking = length; lacking > 0; ) {
      const piece = (await this.#some()).subarray(0, lacking);
      this.#rest = this.#rest.subarray(piece.length);
      pieces.push(piece);
      lacking -= piece.length;
    }
    return Buffer.concat(pieces, length);
  }

  async skip(length: number): Promise<void> {
    for (let lacking = length; lacking > 0; ) lacking -= (await this.read(Math.min(PIECE, lacking))).length;
  }

  /** To the end, where gzip has its own checksum. */
  async skipRest(): Promise<void> {
    while (!(await this.#chunks.next()).done);
  }

  /** What is at hand: one byte at least. */
  async #some(): Promise<Buffer> {
    while (this.#rest.length === 0) {
      const { done, value } = await this.#chunks.next();
      if (done) throw new Fault("ends too early");
      this.#rest = value;
    }
    return this.#rest;
  }
}
