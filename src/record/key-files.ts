/** Keys of backends and clients as files, in the form of pyzmq's certificates: NAME.key for all, NAME.key_secret for one. */
import { chmodSync, existsSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { surroundingsError, usageError } from "../errors.js";
import { makeDirectory } from "./directory.js";
import { NO_CHANGING, NO_READING, readGuarded, refuseUse } from "./secret-file.js";
import { writing } from "./write-file.js";

/** In Z85. */
interface Pair {
  readonly publicKey: string;
  readonly secretKey: string;
}

const ROLES = ["server", "client"] as const;
type Role = (typeof ROLES)[number];

const KEY = /^[0-9a-zA-Z.:+=^!/*?&<>()[\]{}@%$#-]{40}$/;

const publicFile = (directory: string, role: Role): string => join(directory, `${role}.key`);
const secretFile = (directory: string, role: Role): string => join(directory, `${role}.key_secret`);

/**
 * Makes the directory, and in it the pairs of which there is no file yet; whose they are is returned. What is there is
 * never written over.
 * @throws IbatchError where others may enter a directory that is there, or files cannot be written.
 */
export function writeKeyFiles(directory: string, pairs: Readonly<Record<Role, Pair>>): readonly Role[] {
  const isNew = makeDirectory(directory, "DIR").length > 0;
  if (isNew) chmodSync(directory, 0o700);
  if (process.platform !== "win32" && (statSync(directory).mode & 0o077) !== 0) {
    throw usageError(`${directory}: others may enter it: name a new directory, or chmod 700 ${directory}`);
  }
  const missing = ROLES.filter(
    (role) => !existsSync(publicFile(directory, role)) && !existsSync(secretFile(directory, role)),
  );
  for (const role of missing) {
    const { publicKey, secretKey } = pairs[role];
    const lines = ["metadata", "curve", `    public-key = "${publicKey}"`];
    write(secretFile(directory, role), 0o600, [...SECRET_BANNER, ...lines, `    secret-key = "${secretKey}"`]);
    write(publicFile(directory, role), 0o644, [...PUBLIC_BANNER, ...lines]);
  }
  return missing;
}

const PUBLIC_BANNER = ["# ZeroMQ CURVE public certificate, made by `ibatch keys`: whom it belongs to proves it.", ""];
const SECRET_BANNER = [
  "# ZeroMQ CURVE **secret** certificate, made by `ibatch keys`: for one machine, and its owner alone.",
  "",
];

const write = (path: string, mode: number, lines: readonly string[]): void =>
  writing(path, () => writeFileSync(path, `${lines.join("\n")}\n`, { mode, flag: "wx" }), "DIR");

export interface ClientKeyFiles extends Pair {
  readonly serverPublicKey: string;
}

/**
 * What a client needs of such a directory: its own pair, and the backend's public key.
 * @throws IbatchError where they cannot be used, or others may put other files in their place.
 */
export function readClientKeys(directory: string): ClientKeyFiles {
  refuseUse(directory, statSync(directory, { throwIfNoEntry: false })?.mode ?? 0, NO_CHANGING);
  const secret = secretFile(directory, "client");
  const own = needed(secret, readGuarded(secret, NO_READING));
  const server = publicFile(directory, "server");
  return {
    publicKey: keyIn(own, "public-key", secret),
    secretKey: keyIn(own, "secret-key", secret),
    serverPublicKey: keyIn(needed(server, readGuarded(server, NO_CHANGING)), "public-key", server),
  };
}

function needed(path: string, text: string | undefined): string {
  if (text !== undefined) return text;
  throw surroundingsError(
    `${path}: there is no such file: \`ibatch keys\` makes the keys of both sides; a client has client.key_secret and the ` +
      "backend's server.key",
  );
}

function keyIn(text: string, name: string, path: string): string {
  const value = new RegExp(`^\\s*${name}\\s*=\\s*["']?([^\\s"']*)["']?\\s*$`, "m").exec(text)?.[1] ?? "";
  if (KEY.test(value)) return value;
  throw surroundingsError(`${path} has no ${name} of 40 characters: it is no key file as \`ibatch keys\` makes them`);
}
