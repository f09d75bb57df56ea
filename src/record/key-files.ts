/** Keys of backends and clients as files, in the form of pyzmq's certificates: NAME.key for all, NAME.key_secret for one. */
import { chmodSync, existsSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { surroundingsError, usageError } from "../errors.js";
import { makeDirectory } from "./directory.js";
import { NO_CHANGING, NO_READING, readGuarded, refuseDirectory } from "./secret-file.js";
import { addWhole as addWholeFile } from "./write-file.js";

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

/** What belongs to a secret key; undefined where it is none. */
type PublicKeyOf = (secretKey: string) => string | undefined;

/**
 * Makes the directory, and in it the pairs of which there is no file yet, and the public file of a secret one that lacks it;
 * the names of what was made are returned. What is there is never written over.
 * @throws IbatchError where others may enter a directory that is there, a file there is damaged, or files cannot be written.
 */
export function writeKeyFiles(
  directory: string,
  pairs: Readonly<Record<Role, Pair>>,
  publicKeyOf: PublicKeyOf,
): readonly string[] {
  const isNew = makeDirectory(directory, "DIR").length > 0;
  if (isNew) chmodSync(directory, 0o700);
  if (process.platform !== "win32" && (statSync(directory).mode & 0o077) !== 0) {
    throw usageError(`${directory}: others may enter it: name a new directory, or chmod 700 ${directory}`);
  }
  if (isNew) addWhole(join(directory, ".gitignore"), 0o644, IGNORE_ALL);
  return ROLES.flatMap((role) => writePair(directory, role, pairs[role], publicKeyOf)).map((path) => basename(path));
}

const IGNORE_ALL = ["# Made by `ibatch keys`: secret keys are not to be committed.", "*"];

/** The secret one first: the public one follows from it, also where all ended between the two. */
function writePair(directory: string, role: Role, pair: Pair, publicKeyOf: PublicKeyOf): string[] {
  const paths = { secret: secretFile(directory, role), public: publicFile(directory, role) };
  const isLone = !existsSync(paths.secret) && existsSync(paths.public); // its secret half is on another machine
  const made = !isLone && addWhole(paths.secret, 0o600, secretLines(pair)) ? [paths.secret] : [];
  const kept = readPair(paths.secret, publicKeyOf); // another command may have made it meanwhile
  if (kept !== undefined && addWhole(paths.public, 0o644, publicLines(kept))) return [...made, paths.public];
  readPublic(paths.public);
  return made;
}

const PUBLIC_BANNER = ["# ZeroMQ CURVE public certificate, made by `ibatch keys`: whom it belongs to proves it.", ""];
const SECRET_BANNER = [
  "# ZeroMQ CURVE **secret** certificate, made by `ibatch keys`: for one machine, and its owner alone.",
  "",
];

const publicLines = ({ publicKey }: Pick<Pair, "publicKey">): string[] => [...PUBLIC_BANNER, ...certificate(publicKey)];
const secretLines = ({ publicKey, secretKey }: Pair): string[] => [
  ...SECRET_BANNER,
  ...certificate(publicKey),
  `    secret-key = "${secretKey}"`,
];
const certificate = (publicKey: string): string[] => ["metadata", "curve", `    public-key = "${publicKey}"`];

const addWhole = (path: string, mode: number, lines: readonly string[]): boolean =>
  addWholeFile(path, `${lines.join("\n")}\n`, { mode, option: "DIR" });

export interface ClientKeyFiles extends Pair {
  readonly serverPublicKey: string;
}

/**
 * What a client needs of such a directory: its own pair, and the backend's public key.
 * @throws IbatchError where they cannot be used, or others may put other files in their place.
 */
export function readClientKeys(directory: string, publicKeyOf: PublicKeyOf): ClientKeyFiles {
  refuseDirectory(directory, NO_CHANGING);
  const [own, server] = [secretFile(directory, "client"), publicFile(directory, "server")];
  return {
    ...needed(own, readPair(own, publicKeyOf)),
    serverPublicKey: needed(server, readPublic(server)),
  };
}

/** Undefined where there is no such file. @throws IbatchError where it has no two keys that belong together. */
function readPair(path: string, publicKeyOf: PublicKeyOf): Pair | undefined {
  const text = readGuarded(path, NO_READING);
  if (text === undefined) return undefined;
  const pair = { publicKey: keyIn(text, "public-key", path), secretKey: keyIn(text, "secret-key", path) };
  if (publicKeyOf(pair.secretKey) === pair.publicKey) return pair;
  throw surroundingsError(`${path} has no secret key that belongs to its public key: ${MEND}`);
}

/** Undefined where there is no such file. @throws IbatchError where it has none, or a secret one as well. */
function readPublic(path: string): string | undefined {
  const text = readGuarded(path, NO_CHANGING);
  if (text === undefined) return undefined;
  if (!/^\s*secret-key\b/m.test(text)) return keyIn(text, "public-key", path);
  throw surroundingsError(
    `${path} has a secret key in it, which only a .key_secret may hold: have the public file that \`ibatch keys\` made ` +
      "beside that in its place, and new keys where others have seen this one",
  );
}

function needed<T>(path: string, value: T | undefined): T {
  if (value !== undefined) return value;
  throw surroundingsError(
    `${path}: there is no such file: \`ibatch keys\` makes the keys of both sides; a client has client.key_secret and the ` +
      "backend's server.key",
  );
}

const MEND = "remove it, and have the one that `ibatch keys` made, or new keys";

function keyIn(text: string, name: string, path: string): string {
  const value = new RegExp(`^\\s*${name}\\s*=\\s*["']?([^\\s"']*)["']?\\s*$`, "m").exec(text)?.[1] ?? "";
  if (KEY.test(value)) return value;
  throw surroundingsError(
    `${path} has no ${name} of 40 characters: it is no key file as \`ibatch keys\` makes them: ${MEND}`,
  );
}
