import { expect, test } from "vitest";
import { differences } from "../../src/record/differences.js";

const order = (sha256: string, path = "./mine.mjs") => ({ order: { name: "mine", file: { path, sha256 } } });

test("what is otherwise there, by its path", () => {
  expect(differences({ epochs: 2, a: { b: 1 } }, { epochs: 3, a: { b: 1, c: null } })).toBe(
    "epochs: 2 there, 3 here; a.c: not said there, null here",
  );
});

test("a file that has changed, by its name", () => {
  expect(differences(order("a1"), order("b2"))).toBe("./mine.mjs has changed");
});

test("another file, by both names", () => {
  expect(differences(order("a1"), order("a1", "./other.mjs"))).toBe(
    'order.file.path: "./mine.mjs" there, "./other.mjs" here',
  );
});

test("hashes that are of no file", () => {
  expect(differences({ data: { sha256: "a1" } }, { data: { sha256: "b2" } })).toBe(
    'data.sha256: "a1" there, "b2" here',
  );
});
