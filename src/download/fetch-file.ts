/** One published file: from one of its addresses, resumed where it broke off, checked, and only then under its name. */

import { constants, type FileHandle, open, rename, rm } from "node:fs/promises";
import { IbatchError, Interrupted, surroundingsError } from "../errors.js";
import { PARTIAL } from "../record/write-file.js";
import { md5Of, onDisk, size, sizeOf, writeAll } from "./files.js";
import { type Answer, type Getting, get, networkFailure, SourceFailure, unusedProxy } from "./http.js";
import type { PublishedFile } from "./sources.js";

export interface Fetching extends Getting {
  /** Bytes of the file that are on the disk, from `host`; each time it becomes more. */
  readonly received: (file: PublishedFile, bytes: number, host: string) => void;
  /** An address was of no use; the reason ends with what is tried now. */
  readonly failed: (file: PublishedFile, reason: string) => void;
}

/** Connections to one address, as long as each of them brings something. */
const MOST_CONNECTIONS = 5;

/**
 * Fetches the file to `path`. Until it is whole and right it is called `path`.partial, and what broke off is kept there.
 * @throws IbatchError when no address gives it, with every reason; Interrupted when the signal came.
 */
export async function fetchFile(file: PublishedFile, path: string, fetching: Fetching): Promise<void> {
  const reasons: string[] = [];
  for (const url of file.urls) {
    try {
      await receive(url, file, `${path}${PARTIAL}`, fetching);
      await onDisk(path, () => rename(`${path}${PARTIAL}`, path));
      return;
    } catch (error) {
      if (!(error instanceof SourceFailure)) throw error;
      const reason = `${hostOf(url)}: ${error.message}`;
      reasons.push(reason);
      if (reasons.length < file.urls.length) fetching.failed(file, `${reason}; trying the next address`);
    }
  }
  throw surroundingsError(await sentenceFor(file, path, reasons));
}

/** What no address gave: why, what is kept, what to do. */
async function sentenceFor({ name, bytes, urls }: PublishedFile, path: string, reasons: string[]): Promise<string> {
  const kept = (await sizeOf(`${path}${PARTIAL}`)) ?? 0;
  const resume = kept > 0 ? ` (${size(kept)} of ${size(bytes)} are kept)` : "";
  const proxy = unusedProxy(process.env);
  return (
    `${name} cannot be fetched: ${reasons.join("; ")}.${proxy === undefined ? "" : ` ${proxy}.`} Mend that and give ` +
    `the same command again${resume}, or fetch ${urls[0]} by other means to ${path}: it is checked and used`
  );
}

/** Leaves the whole, right file at `partial`; goes on where the connection breaks off. */
async function receive(url: string, file: PublishedFile, partial: string, fetching: Fetching): Promise<void> {
  for (let connection = 1; ; connection++) {
    const before = await usableBytes(partial, file);
    try {
      if (before < file.bytes) await transfer(url, file, partial, before, fetching);
      return await check(file, partial);
    } catch (error) {
      if (!(error instanceof SourceFailure)) throw error;
      if (error.then === "afresh") await onDisk(partial, () => rm(partial, { force: true }));
      const broughtMore = ((await sizeOf(partial)) ?? 0) > before;
      const isWorthwhile = error.then === "resume" ? broughtMore : error.then === "afresh" && before > 0;
      if (!isWorthwhile || connection === MOST_CONNECTIONS) throw error;
      fetching.failed(file, `${hostOf(url)}: ${error.message}; trying it again`);
    }
  }
}

/** How much of the file is there already; what cannot be of it is removed. */
async function usableBytes(partial: string, { bytes }: PublishedFile): Promise<number> {
  const there = (await sizeOf(partial)) ?? 0;
  if (there <= bytes) return there;
  await onDisk(partial, () => rm(partial));
  return 0;
}

/** Asks for what lacks and writes it, up to the end of the file. */
async function transfer(
  url: string,
  file: PublishedFile,
  partial: string,
  before: number,
  fetching: Fetching,
): Promise<void> {
  try {
    const answer = await get(url, before > 0 ? { range: `bytes=${before}-` } : {}, fetching);
    try {
      const start = checkedStart(answer, file, before);
      const handle = await onDisk(partial, () => open(partial, constants.O_RDWR | constants.O_CREAT));
      try {
        await writeBody(answer, handle, start, { file, partial, host: hostOf(url), fetching });
      } finally {
        await handle.close();
      }
    } finally {
      answer.destroy();
    }
  } catch (error) {
    if (fetching.signal.aborted) throw new Interrupted();
    if (error instanceof IbatchError) throw error;
    throw networkFailure(error);
  }
}

/**
 * The position of the first byte that the server sends.
 * @throws SourceFailure where its headers show that this cannot be the file.
 */
function checkedStart({ statusCode = 0, headers }: Answer, { bytes }: PublishedFile, asked: number): number {
  if (statusCode === 416 && asked > 0) throw new SourceFailure("it has no such part of the file", "afresh");
  if (statusCode !== 200 && !(statusCode === 206 && asked > 0)) {
    throw new SourceFailure(`it answers ${statusCode}, expected 200`, "next");
  }
  const isPart = statusCode === 206;
  if (isPart) checkRange(headers["content-range"], asked, bytes);
  if (headers["content-type"]?.startsWith("text/html")) {
    throw new SourceFailure("it sends a web page instead of the file (a network that wants a login?)", "next");
  }
  const start = isPart ? asked : 0;
  const announced = headers["content-length"];
  if (announced !== undefined && Number(announced) !== bytes - start) {
    throw new SourceFailure(`it announces ${announced} bytes, expected ${bytes - start}`, "next");
  }
  return start;
}

/** Instead of an ETag, which a .partial of yesterday does not know, the length and in the end the checksum decide. */
function checkRange(range: string | undefined, asked: number, bytes: number): void {
  const [, first, total] = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(range ?? "") ?? [];
  if (Number(first) === asked && (total === "*" || Number(total) === bytes)) return;
  throw new SourceFailure(`it sends the part ${range ?? "nameless"}, expected bytes ${asked}- of ${bytes}`, "afresh");
}

interface Destination {
  readonly file: PublishedFile;
  readonly partial: string;
  readonly host: string;
  readonly fetching: Fetching;
}

/** Writes what comes, from position `start` on; it is on the disk itself when this returns. */
async function writeBody(answer: Answer, handle: FileHandle, start: number, to: Destination): Promise<void> {
  const { file, partial, host, fetching } = to;
  if (start === 0) await onDisk(partial, () => handle.truncate());
  let end = start;
  for await (const chunk of answer) {
    if (end + chunk.length > file.bytes) {
      throw new SourceFailure(`it sends more than the ${file.bytes} bytes that the file has`, "afresh");
    }
    const position = end;
    await onDisk(partial, () => writeAll(handle, chunk, position));
    end += chunk.length;
    fetching.received(file, end, host);
  }
  await onDisk(partial, () => handle.sync());
  if (end < file.bytes) throw new SourceFailure(`it ended after ${end} of ${file.bytes} bytes`, "resume");
}

async function check({ md5 }: PublishedFile, partial: string): Promise<void> {
  const seen = await md5Of(partial);
  if (seen === md5) return;
  throw new SourceFailure(`what it sent has the MD5 ${seen}, expected ${md5}, and was removed`, "afresh");
}

const hostOf = (url: string): string => new URL(url).host;
