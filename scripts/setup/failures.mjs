// Tells from the output of npm, pip and venv what went wrong. The sentences about it are in sentences.mjs.

/** Set-up cannot go on. Exit codes: 4 the surroundings are missing something, 2 wrong arguments, 1 a fault of ours. */
export class SetupError extends Error {
  constructor(message, exitCode = 4) {
    super(message);
    this.name = "SetupError";
    this.exitCode = exitCode;
  }
}

// A request that failed and is tried again.
const RETRIED = /^WARNING: Retrying|attempt \d+ failed with/;

// The signs of each kind, in the order in which they are looked for: behind a full disk or a missing network the tools
// complain about other things too.
const SIGNS = [
  ["disk", /ENOSPC|EDQUOT|No space left on device|not enough space on the disk|Disk quota exceeded/i],
  ["certificate", /CERTIFICATE_VERIFY_FAILED|SELF_SIGNED_CERT|UNABLE_TO_(GET_ISSUER|VERIFY)|CERT_HAS_EXPIRED/],
  ["network", /Failed to (establish a new connection|resolve)|Temporary failure in name resolution/],
  ["network", /\b(ENOTFOUND|EAI_AGAIN|ETIMEDOUT|ECONNREFUSED|ECONNRESET|ENETUNREACH|EHOSTUNREACH)\b/],
  ["network", /ERR_SOCKET_TIMEOUT|Network is unreachable|getaddrinfo failed|Max retries exceeded/],
  ["network", /(Proxy|ConnectTimeout|ReadTimeout|ConnectionReset)Error|IncompleteRead|RemoteDisconnected/],
  ["network", RETRIED],
  ["lock", /can only install packages when your package\.json and package-lock\.json/],
  ["version", /No matching distribution found|Could not find a version that satisfies|\bETARGET\b/],
  ["permission", /\b(EACCES|EPERM|EROFS)\b|Permission denied|Read-only file system/],
  ["venv", /ensurepip is not available|No module named '?(venv|ensurepip)\b/],
];

/** `{ kind, evidence }`: what went wrong, and the line of the output that shows it. */
export function classifyFailure(output) {
  const lines = tellingLines(output);
  for (const [kind, sign] of SIGNS) {
    const line = lines.find((text) => sign.test(text));
    if (line !== undefined) return { kind, evidence: shorten(line, line.search(sign)) };
  }
  return { kind: "other", evidence: shorten(lines.find(isError) ?? lines.at(-1) ?? "it printed nothing") };
}

/** Requests failed, and none has come through: npm says so with --loglevel=http, pip by knowing of no version at all. */
export function nothingCameThrough(output) {
  const npm = /attempt \d+ failed with/.test(output) && !/fetch GET 200/.test(output);
  const pip = /^WARNING: Retrying/m.test(output) && /from versions: none/.test(output);
  return npm || pip;
}

/** A request that was tried again proves nothing where others came through. */
function tellingLines(output) {
  const lines = output.split(/\r?\n/).filter((line) => line.trim() !== "");
  if (nothingCameThrough(output)) return lines;
  return lines.filter((line) => !RETRIED.test(line));
}

function isError(line) {
  return /^(npm (error|ERR!) \S|ERROR:|error:|\w*Error:)/.test(line);
}

/** The line, or as much of it as tells something: pip's go on for 300 characters before they come to the point. */
function shorten(line, point = 0) {
  const from = line.length > LONGEST ? point : 0;
  const text = line.slice(from).trim();
  return text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text;
}

const LONGEST = 120;
