/** Why a backend and a client do not come together, in a line that says what to do. */
import { type IbatchError, surroundingsError } from "../errors.js";
import type { Credentials } from "./credentials.js";

/**
 * What ZeroMQ tells of a handshake that failed. `unknown key`: the backend knows its client not. `broken off`: it cannot
 * read what the client says, as where that takes it for another one; ZeroMQ tells no more of it.
 */
export type HandshakeFailure = "unknown key" | "broken off";

export function refusal(endpoint: string, credentials: Credentials, failure: HandshakeFailure): IbatchError {
  return surroundingsError(`${subject(endpoint)} ${why(credentials, failure)}`);
}

const subject = (endpoint: string): string => `the backend at ${endpoint}`;

function why(credentials: Credentials, failure: HandshakeFailure): string {
  if (credentials.kind === "token") {
    return (
      `does not take the token of ${credentials.from}: it was started with keys (give --keys DIR, too), with another ` +
      "IBATCH_TOKEN, or by another user"
    );
  }
  if (credentials.kind === "none") return "ends every handshake: name its keys with --keys DIR";
  const { from } = credentials;
  if (failure === "unknown key") {
    return (
      `does not know the key in ${from}: put client.key from there beside its server.key_secret, under any name that ` +
      "ends in .key, and start it again"
    );
  }
  return (
    `has another key than server.key in ${from}, or was started without --keys: have the server.key that lies beside ` +
    "its server.key_secret"
  );
}

/** ZeroMQ's name for what a socket wants of its clients. */
const CURVE = "CURVE";
const NULL = "NULL";

/** What speaks against a peer that greets like this; undefined: nothing. `mechanism`: as it said, if it said anything. */
export function mismatch(
  endpoint: string,
  credentials: Credentials,
  mechanism: string | undefined,
): IbatchError | undefined {
  if (mechanism === undefined) return undefined;
  if (credentials.kind === "none") {
    if (mechanism === NULL) return undefined;
    return surroundingsError(`${subject(endpoint)} wants keys or a token (${mechanism}), which no ipc backend does`);
  }
  if (mechanism === CURVE) return undefined;
  const proof = credentials.kind === "token" ? "the token" : "the keys";
  return surroundingsError(
    `${subject(endpoint)} asks for no key (its mechanism is ${mechanism}, expected ${CURVE}), so anybody may be ` +
      `there, and ${proof} of ${credentials.from} proved nothing: start it with this version of py_backend`,
  );
}
