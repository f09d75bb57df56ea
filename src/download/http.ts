/**
 * GET of one address. Node's own http and not `fetch`: that one undoes a Content-Encoding, and servers are about that
 * call a .gz file gzip-encoded; here the bytes on the wire are the bytes of the file.
 */
import http, { type IncomingMessage, type OutgoingHttpHeaders } from "node:http";
import https from "node:https";
import { packageVersion } from "../package-root.js";

const MOST_REDIRECTS = 5;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

export interface Getting {
  readonly signal: AbortSignal;
  /** A server that sends nothing for so long is given up. */
  readonly idleMs: number;
}

/** A reason for which an address does not give the file, as the end of a sentence that its host begins. */
export class SourceFailure extends Error {
  constructor(
    message: string,
    /** resume: it broke off; afresh: what is there of the file is wrong; next: this address is of no use now. */
    readonly then: "resume" | "afresh" | "next",
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** Status and headers; the body is still to be read. */
export type Answer = IncomingMessage;

/** The answer, behind redirects. */
export async function get(url: string, headers: OutgoingHttpHeaders, getting: Getting): Promise<Answer> {
  let address = new URL(url);
  for (let hop = 0; hop <= MOST_REDIRECTS; hop++) {
    const answer = await request(address, headers, getting);
    const target = REDIRECTS.has(answer.statusCode ?? 0) ? answer.headers.location : undefined;
    if (target === undefined) return answer;
    answer.destroy();
    address = redirected(target, address);
  }
  throw new SourceFailure(`redirects more than ${MOST_REDIRECTS} times`, "next");
}

function redirected(target: string, from: URL): URL {
  const to = URL.canParse(target, from.href) ? new URL(target, from) : undefined;
  if (to?.protocol === "http:" || to?.protocol === "https:") return to;
  throw new SourceFailure(`redirects to ${JSON.stringify(target)}, which is no web address`, "next");
}

function request(address: URL, headers: OutgoingHttpHeaders, { signal, idleMs }: Getting): Promise<Answer> {
  const client = address.protocol === "https:" ? https : http;
  const all = {
    "user-agent": `importance-batching/${packageVersion()}`,
    accept: "*/*",
    "accept-encoding": "identity",
    connection: "close",
    ...headers,
  };
  return new Promise((resolve, reject) => {
    let answer: Answer | undefined;
    const sent = client.get(address, { headers: all, signal, timeout: idleMs }, (response) => {
      answer = response;
      response.on("error", () => {}); // may come while nobody reads; whoever reads later gets it then
      resolve(response);
    });
    sent.on("timeout", () => {
      (answer ?? sent).destroy(new SourceFailure(`sent nothing for ${idleMs / 1000} s`, "resume"));
    });
    sent.on("error", reject);
  });
}

const REASONS: ReadonlyMap<string, string> = new Map([
  ["ENOTFOUND", "its name cannot be resolved (no network, or a name server that does not know it)"],
  ["EAI_AGAIN", "its name cannot be resolved (no network, or no name server)"],
  ["ECONNREFUSED", "it refuses the connection"],
  ["ETIMEDOUT", "it does not answer"],
  ["ENETUNREACH", "the network does not reach it"],
  ["EHOSTUNREACH", "the network does not reach it"],
  ["ECONNRESET", "the connection broke off"],
  ["EPIPE", "the connection broke off"],
  ["ERR_STREAM_PREMATURE_CLOSE", "the connection broke off"],
]);

/** What a failed exchange means; errors that are not the network's are thrown on. */
export function networkFailure(error: unknown): SourceFailure {
  if (error instanceof SourceFailure) return error;
  if (!(error instanceof Error) || !("code" in error)) throw error;
  const code = String(error.code);
  const reason = REASONS.get(code);
  if (reason !== undefined) return new SourceFailure(reason, "resume", { cause: error });
  if (/CERT|SIGNATURE|ISSUER/.test(code)) {
    const advice = "where a proxy opens TLS, NODE_EXTRA_CA_CERTS names its certificate";
    return new SourceFailure(`its certificate is not trusted (${code}); ${advice}`, "next", { cause: error });
  }
  return new SourceFailure(`${code}: ${error.message}`, "next", { cause: error });
}

const PROXY_VARIABLES = ["https_proxy", "HTTPS_PROXY", "http_proxy", "HTTP_PROXY"];

/** Advice where a proxy is set that Node was not told to use. */
export function unusedProxy(environment: NodeJS.ProcessEnv): string | undefined {
  const variable = PROXY_VARIABLES.find((name) => environment[name] !== undefined && environment[name] !== "");
  if (variable === undefined || environment.NODE_USE_ENV_PROXY === "1") return undefined;
  return `${variable} is set, but Node heeds it only with NODE_USE_ENV_PROXY=1 (Node 22.21, 24.5 and later)`;
}
