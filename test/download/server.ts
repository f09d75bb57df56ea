import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { Downloading } from "../../src/download/download.js";
import type { PublishedFile } from "../../src/download/sources.js";
import { IbatchError } from "../../src/errors.js";

export type Answer = (request: IncomingMessage, response: ServerResponse) => void;

export interface FakeServer {
  readonly url: string;
  /** What was asked for, in order: path and range. */
  readonly asked: string[];
}

/** A server whose n-th request gets the n-th answer, and the last of them from then on. */
export async function serve(...answers: Answer[]): Promise<FakeServer> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const answer = answers[Math.min(asked.length, answers.length - 1)];
    asked.push([request.url, request.headers.range].filter((part) => part !== undefined).join(" "));
    answer(request, response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  return { url: `http://127.0.0.1:${address.port}/`, asked };
}

/** The whole content, or the part that is asked for, as a well-made server sends it. */
export const whole =
  (content: Buffer): Answer =>
  (request, response) => {
    const first = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? 0);
    if (first > 0) {
      response.statusCode = 206;
      response.setHeader("content-range", `bytes ${first}-${content.length - 1}/${content.length}`);
    }
    response.setHeader("content-length", content.length - first);
    response.end(content.subarray(first));
  };

const cuts = new Map<number, () => void>();

/** To be told what the client has on its disk: `brokenOffAt` waits for it. */
export function clientHas(bytes: number): void {
  cuts.get(bytes)?.();
  cuts.delete(bytes);
}

/** As `whole`, but the connection is cut as soon as the client has the bytes up to `end`: Node drops what it buffers. */
export const brokenOffAt =
  (end: number, content: Buffer): Answer =>
  (request, response) => {
    const first = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? 0);
    if (first > 0) {
      response.statusCode = 206;
      response.setHeader("content-range", `bytes ${first}-${content.length - 1}/${content.length}`);
    }
    response.setHeader("content-length", content.length - first);
    response.flushHeaders();
    if (first >= end) {
      response.socket?.destroySoon();
      return;
    }
    cuts.set(end, () => response.socket?.destroy());
    response.write(content.subarray(first, end));
  };

/** Whatever is asked for, this status with these headers and this body. */
export const always =
  (status: number, body: string | Buffer = "", headers: Record<string, string> = {}): Answer =>
  (_, response) => {
    response.writeHead(status, headers);
    response.end(body);
  };

export const md5 = (content: Buffer): string => createHash("md5").update(content).digest("hex");

/** `content` as it would be published under these addresses. */
export const published = (content: Buffer, urls: readonly string[], name = "set.gz"): PublishedFile => ({
  name,
  bytes: content.length,
  md5: md5(content),
  urls,
});

/** Bytes that no part of them repeats. */
export const bytes = (length: number): Buffer =>
  Buffer.from(Uint8Array.from({ length }, (_, i) => (i * 7 + (i >> 8)) % 251));

export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), "ibatch-download-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** Options of a download that nobody watches. */
export const unwatched = (values: Partial<Downloading> = {}): Downloading => ({
  signal: new AbortController().signal,
  idleMs: 60_000,
  received: () => {},
  failed: () => {},
  step: () => {},
  ...values,
});

/** The sentence that a user sees, where the surroundings are at fault. */
export async function refusal(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    if (error instanceof IbatchError && error.kind === "surroundings") return error.message;
    throw error;
  }
  throw new Error("nothing was thrown");
}
