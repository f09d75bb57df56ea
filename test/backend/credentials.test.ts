import { createHmac } from "node:crypto";
import { expect, test } from "vitest";
import { clientKeys, makeKeySet, makeToken, NO_CREDENTIALS, publicKeyOf } from "../../src/backend/credentials.js";
import { fromZ85, z85 } from "../../src/backend/z85.js";

/** RFC 32's own example. */
test("Z85 of RFC 32", () => {
  expect(z85(Buffer.from([0x86, 0x4f, 0xd2, 0x6f, 0xb5, 0x59, 0xf7, 0x5b]))).toBe("HelloWorld");
  expect(z85(Buffer.alloc(4))).toBe("00000");
  expect(z85(Buffer.alloc(4, 0xff))).toBe("%nSc0");
});

test("what Z85 wrote is read, and nothing else", () => {
  const bytes = Buffer.from([0x86, 0x4f, 0xd2, 0x6f, 0xff, 0xff, 0xff, 0xff]);
  expect(fromZ85(z85(bytes))).toEqual(bytes);
  expect(["Hello~orld", "HelloWorl", "%nSc1"].map(fromZ85)).toEqual([undefined, undefined, undefined]);
});

test("a public key follows from its secret one", () => {
  const { publicKey, secretKey } = makeKeySet().client;
  expect(publicKeyOf(secretKey)).toBe(publicKey);
  expect(["HelloWorld", "~".repeat(40)].map(publicKeyOf)).toEqual([undefined, undefined]);
});

test("pairs that are made are all different", () => {
  const sets = [makeKeySet(), makeKeySet()].flatMap(({ server, client }) => [server, client]);
  expect(new Set(sets.flatMap(({ publicKey, secretKey }) => [publicKey, secretKey])).size).toBe(8);
});

test("the keys of a token follow from its HMAC, so that both sides know both public ones", () => {
  const token = "t".repeat(32);
  const secret = (role: string) => z85(createHmac("sha256", token).update(`ibatch ${role}`).digest());
  const keys = clientKeys({ kind: "token", token, from: "here" });
  expect(keys?.secretKey).toBe(secret("client"));
  // As curve_public of pyzmq makes them of those secrets.
  expect(keys?.publicKey).toBe("7-XjfeqEtZCID/g{.tifk)w491-4m0sW4oOdL@5t");
  expect(keys?.serverPublicKey).toBe("2TN-2p3N<N?<%JZtl/sc+/}SkaoB&g3PQgA8#4V]");
});

test("a token is not made twice, and none is needed over ipc", () => {
  expect(makeToken()).toMatch(/^[0-9a-f]{64}$/);
  expect(makeToken()).not.toBe(makeToken());
  expect(clientKeys(NO_CREDENTIALS)).toBeUndefined();
});
