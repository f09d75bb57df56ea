import { describe, expect, test } from "vitest";
import { flag, integer, neededText, number, text, texts } from "../../src/cli/command-option.js";

test("a flag is there or not", () => {
  expect(flag("no progress").read(true)).toEqual({ value: true });
  expect(flag("no progress").read(undefined)).toEqual({ value: false });
});

describe("a text", () => {
  const word = { pattern: /^\w+$/, expected: "expected a word" };

  test.each([
    [undefined, { value: undefined }],
    ["", { value: "" }],
    ["a b", { value: "a b" }],
    [["a"], { expected: "expected a text" }],
  ])("%j", (typed, read) => {
    expect(text("DIR", "where").read(typed)).toEqual(read);
  });

  test("of a form", () => {
    expect(text("WORD", "which", word).read("a")).toEqual({ value: "a" });
    expect(text("WORD", "which", word).read("a b")).toEqual({ expected: "expected a word" });
  });

  test("that is needed: what is to be done stands in its place", () => {
    expect(neededText("DIR", "where", "name it").read("a")).toEqual({ value: "a" });
    expect(neededText("DIR", "where", "name it").read(undefined)).toEqual({ expected: "name it" });
  });

  test("several: an empty list where none is typed, and the form holds for each", () => {
    expect(texts("WORD", "which").read(undefined)).toEqual({ value: [] });
    expect(texts("WORD", "which", word).read(["a", "b"])).toEqual({ value: ["a", "b"] });
    expect(texts("WORD", "which", word).read(["a", "b c"])).toEqual({ expected: "expected a word" });
    expect(texts("WORD", "which").read("a")).toEqual({ expected: "expected a list" });
  });
});

describe("a number", () => {
  test.each([
    [undefined, { value: 0.5 }],
    ["0", { value: 0 }],
    ["1e-1", { value: 0.1 }],
    ["1", { value: 1 }],
    ["-0.1", { expected: "expected at least 0" }],
    ["1.1", { expected: "expected at most 1" }],
    ["x", { expected: "expected a number" }],
    [" ", { expected: "expected a number" }],
    ["Infinity", { expected: "expected a number" }],
    [true, { expected: "expected a number" }],
  ])("%j", (typed, read) => {
    expect(number("SHARE", "how much", { least: 0, most: 1, fallback: 0.5 }).read(typed)).toEqual(read);
  });

  test("above a bound", () => {
    const seconds = number("SECONDS", "how long", { moreThan: 0, most: 9, fallback: undefined });
    expect(seconds.read(undefined)).toEqual({ value: undefined });
    expect(seconds.read("0")).toEqual({ expected: "expected more than 0" });
  });

  test.each([
    [undefined, { value: 3 }],
    ["7", { value: 7 }],
    ["7.0", { value: 7 }],
    ["7.5", { expected: "expected an integer" }],
    ["0", { expected: "expected at least 1" }],
    ["x", { expected: "expected a number" }],
  ])("whole: %j", (typed, read) => {
    expect(integer("N", "how many", { least: 1, most: 9, fallback: 3 }).read(typed)).toEqual(read);
  });
});
