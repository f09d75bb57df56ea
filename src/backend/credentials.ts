/**
 * What a client proves itself with. Over tcp that is CURVE, ZeroMQ's own: each side shows in the handshake that it has
 * its secret key, and everything between them is encrypted. The keys are files, or follow from a token that both sides
 * know: so a stranger who listens where a backend is looked for learns nothing that would open the backend to him.
 */
import { createHmac, createPrivateKey, createPublicKey, randomBytes } from "node:crypto";
import { fromZ85, z85 } from "./z85.js";

/** In Z85, as ZeroMQ's options and certificates have them. */
export interface KeyPair {
  readonly publicKey: string;
  readonly secretKey: string;
}

/** What a client needs: its own keys, and by which it knows the backend. */
export interface ClientKeys extends KeyPair {
  readonly serverPublicKey: string;
}

/** `from`: where they were had from, for a person. */
export type Credentials =
  | { readonly kind: "none" }
  | { readonly kind: "token"; readonly token: string; readonly from: string }
  | { readonly kind: "curve"; readonly keys: ClientKeys; readonly from: string };

/** Of an ipc socket: its directory is the owner's alone. */
export const NO_CREDENTIALS: Credentials = { kind: "none" };

/** The keys that a socket is given; undefined: none. */
export function clientKeys(credentials: Credentials): ClientKeys | undefined {
  if (credentials.kind === "none") return undefined;
  if (credentials.kind === "curve") return credentials.keys;
  const { token } = credentials;
  return { ...derived(token, "client"), serverPublicKey: derived(token, "server").publicKey };
}

/** A backend's keys and those of its one client. */
export interface KeySet {
  readonly server: KeyPair;
  readonly client: KeyPair;
}

/** New ones, which nobody else has. */
export const makeKeySet = (): KeySet => ({ server: makeKeyPair(), client: makeKeyPair() });

export const makeKeyPair = (): KeyPair => pairOf(randomBytes(SECRET_BYTES));

/** Both in Z85; undefined where that is no secret key. */
export function publicKeyOf(secretKey: string): string | undefined {
  const secret = fromZ85(secretKey);
  return secret?.length === SECRET_BYTES ? pairOf(secret).publicKey : undefined;
}

/** A token of a backend that is started, and of its starter alone. */
export const makeToken = (): string => randomBytes(SECRET_BYTES).toString("hex");

const SECRET_BYTES = 32;
/** What stands before the 32 bytes of an X25519 key in PKCS 8. */
const PKCS8 = Buffer.from("302e020100300506032b656e04220420", "hex");

/** The keys of one side that follow from a token (py_backend/admission.py). */
const derived = (token: string, role: "server" | "client"): KeyPair =>
  pairOf(createHmac("sha256", token).update(`ibatch ${role}`).digest());

/** CURVE's keys are those of X25519. */
function pairOf(secret: Buffer): KeyPair {
  const key = createPrivateKey({ key: Buffer.concat([PKCS8, secret]), format: "der", type: "pkcs8" });
  const publicKey = createPublicKey(key).export({ format: "der", type: "spki" }).subarray(-SECRET_BYTES);
  return { publicKey: z85(publicKey), secretKey: z85(secret) };
}
