import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, expect, onTestFinished, test } from "vitest";
import { makeKeySet } from "../../src/backend/credentials.js";
import { readClientKeys, writeKeyFiles } from "../../src/record/key-files.js";

let directory = "";
beforeEach(() => {
  const base = mkdtempSync(join(tmpdir(), "ibatch-keys-"));
  directory = join(base, "keys");
  onTestFinished(() => rmSync(base, { recursive: true, force: true }));
});

const modeOf = (name: string) => statSync(join(directory, name)).mode & 0o777;

test("what is written is read, and secret to all but its owner", () => {
  const pairs = makeKeySet();
  expect(writeKeyFiles(directory, pairs)).toEqual(["server", "client"]);
  expect(readClientKeys(directory)).toEqual({ ...pairs.client, serverPublicKey: pairs.server.publicKey });
  expect(["", "server.key_secret", "client.key_secret"].map(modeOf)).toEqual([0o700, 0o600, 0o600]);
  expect(readFileSync(join(directory, "client.key"), "utf8")).not.toContain(pairs.client.secretKey);
});

test("what is there is kept, also where half of it is", () => {
  const first = makeKeySet();
  writeKeyFiles(directory, first);
  for (const name of ["client.key", "client.key_secret"]) rmSync(join(directory, name));
  const second = makeKeySet();
  expect(writeKeyFiles(directory, second)).toEqual(["client"]);
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
