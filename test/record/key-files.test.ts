import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, expect, onTestFinished, test } from "vitest";
import { makeKeySet, publicKeyOf } from "../../src/backend/credentials.js";
import * as keyFiles from "../../src/record/key-files.js";

let directory = "";
beforeEach(() => {
  const base = mkdtempSync(join(tmpdir(), "ibatch-keys-"));
  directory = join(base, "keys");
  onTestFinished(() => rmSync(base, { recursive: true, force: true }));
});

const writeKeyFiles = (at: string, pairs: ReturnType<typeof makeKeySet>) =>
  keyFiles.writeKeyFiles(at, pairs, publicKeyOf);
const readClientKeys = (at: string) => keyFiles.readClientKeys(at, publicKeyOf);
const FILES = ["server.key_secret", "server.key", "client.key_secret", "client.key"];

const modeOf = (name: string) => statSync(join(directory, name)).mode & 0o777;

test("what is written is read, and secret to all but its owner", () => {
  const pairs = makeKeySet();
  expect(writeKeyFiles(directory, pairs)).toEqual(FILES);
  expect(readClientKeys(directory)).toEqual({ ...pairs.client, serverPublicKey: pairs.server.publicKey });
  expect(["", "server.key_secret", "client.key_secret"].map(modeOf)).toEqual([0o700, 0o600, 0o600]);
  expect(readFileSync(join(directory, "client.key"), "utf8")).not.toContain(pairs.client.secretKey);
});

test("what is there is kept, also where half of it is", () => {
  const first = makeKeySet();
  writeKeyFiles(directory, first);
  for (const name of ["client.key", "client.key_secret"]) rmSync(join(directory, name));
  const second = makeKeySet();
  expect(writeKeyFiles(directory, second)).toEqual(["client.key_secret", "client.key"]);
  expect(readClientKeys(directory)).toEqual({ ...second.client, serverPublicKey: first.server.publicKey });
  rmSync(join(directory, "server.key_secret"));
  expect(writeKeyFiles(directory, makeKeySet())).toEqual([]);
});

test("a directory that others may enter is refused", () => {
  mkdirSync(directory, { mode: 0o755 });
  expect(() => writeKeyFiles(directory, makeKeySet())).toThrow(`${directory}: others may enter it`);
});

test.each([
  ["client.key_secret", 0o640, "others may read it: chmod 600"],
  ["server.key", 0o646, "others may change it: chmod go-w"],
])("%s of mode %o is refused", (name, mode, said) => {
  writeKeyFiles(directory, makeKeySet());
  chmodSync(join(directory, name), mode);
  expect(() => readClientKeys(directory)).toThrow(`${join(directory, name)}: ${said}`);
});

test.each(["client.key_secret", "server.key"])("%s is named where it is not there, or is none", (name) => {
  writeKeyFiles(directory, makeKeySet());
  writeFileSync(join(directory, name), 'curve\n    public-key = "short"\n');
  expect(() => readClientKeys(directory)).toThrow(`${join(directory, name)} has no public-key of 40 characters`);
  rmSync(join(directory, name));
  expect(() => readClientKeys(directory)).toThrow(`${join(directory, name)}: there is no such file`);
});

test("a directory in which others may put another server.key is refused", () => {
  writeKeyFiles(directory, makeKeySet());
  chmodSync(directory, 0o770);
  expect(() => readClientKeys(directory)).toThrow(`${directory}: others may change it: chmod go-w ${directory}`);
});

test("a directory that cannot be looked at is named", () => {
  symlinkSync(directory, directory);
  expect(() => readClientKeys(directory)).toThrow(`${directory} cannot be read (ELOOP)`);
});

test("what a command that died left half is made whole, and what it made is kept", () => {
  const { server, client } = makeKeySet();
  writeKeyFiles(directory, { server, client });
  for (const name of ["server.key", "client.key", "client.key_secret"]) rmSync(join(directory, name));
  expect(writeKeyFiles(directory, makeKeySet())).toEqual(["server.key", "client.key_secret", "client.key"]);
  expect(readClientKeys(directory).serverPublicKey).toBe(server.publicKey);
  expect(readFileSync(join(directory, "server.key"), "utf8")).not.toContain(server.secretKey);
});

test.each(FILES)("%s that is damaged is refused by name", (name) => {
  writeKeyFiles(directory, makeKeySet());
  writeFileSync(join(directory, name), "");
  expect(() => writeKeyFiles(directory, makeKeySet())).toThrow(
    `${join(directory, name)} has no public-key of 40 characters: it is no key file as \`ibatch keys\` makes them: remove it`,
  );
});

test("nothing but the keys stays in the directory, which git leaves alone; one of the user's is left as it is", () => {
  writeKeyFiles(directory, makeKeySet());
  expect(readdirSync(directory).sort()).toEqual([".gitignore", ...FILES].sort());
  expect(readFileSync(join(directory, ".gitignore"), "utf8").split("\n")).toContain("*");
  const own = join(directory, "own");
  mkdirSync(own, { mode: 0o700 });
  writeKeyFiles(own, makeKeySet());
  expect(readdirSync(own).sort()).toEqual([...FILES].sort());
});

test("a secret key where a public one belongs is refused", () => {
  writeKeyFiles(directory, makeKeySet());
  const path = join(directory, "server.key");
  copyFileSync(join(directory, "server.key_secret"), path);
  expect(() => readClientKeys(directory)).toThrow(`${path} has a secret key in it, which only a .key_secret may hold`);
  expect(() => writeKeyFiles(directory, makeKeySet())).toThrow(`${path} has a secret key in it`);
});

test.each(["the public key of another", "no key of Z85"])("a secret key that goes with %s is refused", (which) => {
  const { client, server } = makeKeySet();
  writeKeyFiles(directory, { client, server });
  const path = join(directory, "client.key_secret");
  const [from, to] = which.startsWith("no") ? [client.secretKey, "#".repeat(40)] : [client.publicKey, server.publicKey];
  writeFileSync(
    path,
    readFileSync(path, "utf8").replace(from, () => to),
  );
  expect(() => readClientKeys(directory)).toThrow(
    `${path} has no secret key that belongs to its public key: remove it`,
  );
});
