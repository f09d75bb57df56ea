import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from "vitest";
import { makeKeySet, publicKeyOf } from "../../src/backend/credentials.js";
import { credentialsFor } from "../../src/launch/credentials.js";
import { writeKeyFiles } from "../../src/record/key-files.js";

let base = "";
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), "ibatch-credentials-"));
  vi.stubEnv("XDG_CONFIG_HOME", base);
  vi.stubEnv("IBATCH_TOKEN", undefined);
  vi.stubEnv("IBATCH_KEYS", undefined);
  onTestFinished(() => rmSync(base, { recursive: true, force: true }));
});
afterEach(() => {
  vi.unstubAllEnvs();
});

const tokenFile = () => join(base, "ibatch", "token");

test("over ipc nothing is needed, and nothing is made", () => {
  expect(credentialsFor("ipc:///tmp/x")).toEqual({ kind: "none" });
  expect(existsSync(tokenFile())).toBe(false);
});

test("on loopback it is the user's token, made at its first use and for its owner alone", () => {
  const first = credentialsFor("tcp://127.0.0.1:5555");
  expect(first).toEqual({ kind: "token", token: readFileSync(tokenFile(), "utf8").trim(), from: tokenFile() });
  expect(statSync(tokenFile()).mode & 0o777).toBe(0o600);
  expect(credentialsFor("tcp://[::1]:5555")).toEqual(first);
});

test("what a killed process of our number left is in nobody's way", () => {
  mkdirSync(join(base, "ibatch"));
  writeFileSync(`${tokenFile()}.${process.pid}`, "");
  expect(credentialsFor("tcp://127.0.0.1:5555")).toMatchObject({ kind: "token", from: tokenFile() });
});

test("the environment's token is taken before the user's", () => {
  vi.stubEnv("IBATCH_TOKEN", "e".repeat(32));
  const expected = { kind: "token", token: "e".repeat(32), from: "IBATCH_TOKEN" };
  expect(credentialsFor("tcp://localhost:5555")).toEqual(expected);
  expect(existsSync(tokenFile())).toBe(false);
});

test("keys are taken wherever the backend is, from the option or the environment", () => {
  const keys = join(base, "keys");
  const { client, server } = makeKeySet();
  writeKeyFiles(keys, { client, server }, publicKeyOf);
  const expected = { kind: "curve", from: keys, keys: { ...client, serverPublicKey: server.publicKey } };
  expect(credentialsFor("tcp://10.0.0.1:5555", keys)).toEqual(expected);
  vi.stubEnv("IBATCH_KEYS", keys);
  expect(credentialsFor("tcp://127.0.0.1:5555")).toEqual(expected);
});

test("beyond this machine there are keys, or it is refused", () => {
  vi.stubEnv("IBATCH_TOKEN", "e".repeat(32));
  expect(() => credentialsFor("tcp://10.0.0.1:5555")).toThrow("keys are needed: `ibatch keys DIR` makes them");
});

test("a token that is no text in UTF-8 is refused, as the backend does", () => {
  mkdirSync(join(base, "ibatch"));
  writeFileSync(tokenFile(), Buffer.alloc(40, 0xff), { mode: 0o600 });
  expect(() => credentialsFor("tcp://localhost:5555")).toThrow(`${tokenFile()}: a token is text in UTF-8`);
});

test("a token that can be guessed, or read by others, is refused", () => {
  vi.stubEnv("IBATCH_TOKEN", "short");
  expect(() => credentialsFor("tcp://localhost:5555")).toThrow("IBATCH_TOKEN: a token has 32 characters at least");
  vi.stubEnv("IBATCH_TOKEN", undefined);
  credentialsFor("tcp://localhost:5555");
  chmodSync(tokenFile(), 0o644);
  expect(() => credentialsFor("tcp://localhost:5555")).toThrow("others may read it: chmod 600");
});
