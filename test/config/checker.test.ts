import { describe, expect, test } from "vitest";
import { z } from "zod";
import type { CatalogueEntry, CatalogueOption } from "../../src/backend/messages.js";
import { Checker } from "../../src/config/checker.js";
import { mistake } from "../mistake.js";

const checker = new Checker((path) => `at ${path.join(".")}`);

describe("parse", () => {
  const schema = z.strictObject({
    size: z.int().min(2).max(9).default(3),
    inner: z.strictObject({ flag: z.boolean().optional() }).prefault({}),
    list: z.array(z.number()).max(2).default([]),
    either: z.union([z.literal("auto"), z.int().min(1), z.array(z.int())]).default("auto"),
    own: z.string().regex(/^a/, "expected something with an a").default("a"),
  });
  const parse = (value: unknown) => checker.parse(schema, value, { at: ["x"] });

  test("fills in defaults", () => {
    expect(parse({})).toEqual({ size: 3, inner: {}, list: [], either: "auto", own: "a" });
  });

  test.each([
    [{ size: 1 }, "at x.size: expected at least 2, not 1"],
    [{ size: 10 }, "at x.size: expected at most 9, not 10"],
    [{ size: Number.POSITIVE_INFINITY }, "at x.size: expected a number, not Infinity"],
    [{ list: [1, 2, 3] }, "at x.list: expected at most 2 entries, not [1,2,3]"],
    [{ list: { 0: 1 } }, 'at x.list: expected a list, not {"0":1}'],
    [{ inner: { flag: "no" } }, 'at x.inner.flag: expected true or false, not "no"'],
    [{ inner: { flog: true } }, "at x.inner.flog: unknown key; did you mean `flag`?"],
    [{ either: "x" }, 'at x.either: expected auto, or a number, or a list, not "x"'],
    [{ either: 0 }, "at x.either: expected at least 1, not 0"],
    [{ either: [1, 2.5] }, "at x.either.1: expected an integer, not 2.5"],
    [{ own: "b" }, 'at x.own: expected something with an a, not "b"'],
    [3, "at x: expected a map with some of size, inner, list, either, own, not 3"],
  ])("%j", (value, expected) => {
    expect(mistake(() => parse(value))).toBe(expected);
  });
});

describe("an unknown key goes before what is missing only where it is a slip for that", () => {
  const schema = z.strictObject({ size: z.int(), inner: z.strictObject({ undefine: z.int() }) });
  test.each([
    [{ sise: 1, inner: { undefine: 1 } }, "at x.sise: unknown key; did you mean `size`?"],
    [{ other: 0, sise: 1, inner: { undefine: 1 } }, "at x.sise: unknown key; did you mean `size`?"],
    [{ other: 0, inner: { undefine: 1 } }, "at x.size: is missing: expected a number"],
    [{ size: 1, undefin: 1, inner: {} }, "at x.inner.undefine: is missing: expected a number"],
  ])("%j", (value, expected) => {
    expect(mistake(() => checker.parse(schema, value, { at: ["x"] }))).toBe(expected);
  });
});

describe("catalogued: an option is held to what the backend declares", () => {
  const option = (type: CatalogueOption["type"], limits: Partial<CatalogueOption> = {}): CatalogueOption => ({
    type,
    default: null,
    help: "",
    choices: null,
    minimum: null,
    maximum: null,
    ...limits,
  });
  const check = (declared: CatalogueOption, value: unknown) => {
    const entries: CatalogueEntry[] = [{ name: "net", summary: "", whenToChoose: "", options: { o: declared } }];
    return checker.catalogued("model", entries, { name: "net", options: { o: value } }, []).options.o;
  };

  test.each([
    ["int", 3],
    ["float", 3],
    ["float", -0.5],
    ["bool", false],
    ["str", ""],
  ] as const)("%s takes %j", (type, value) => {
    expect(check(option(type), value)).toEqual(value);
  });

  test.each([
    ["int", 2.5, "expected an integer, not 2.5"],
    ["int", "2", 'expected an integer, not "2"'],
    ["float", Number.NaN, "expected a number, not NaN"],
    ["float", true, "expected a number, not true"],
    ["bool", 1, "expected true or false, not 1"],
    ["str", 5, "expected a text, not 5"],
  ] as const)("%s refuses %j", (type, value, expected) => {
    expect(mistake(() => check(option(type), value))).toBe(`at model.o: ${expected}`);
  });

  test("limits are inclusive; choices are the only values", () => {
    const limited = option("float", { minimum: 0, maximum: 1 });
    expect([check(limited, 0), check(limited, 1)]).toEqual([0, 1]);
    expect(mistake(() => check(limited, -0.1))).toBe("at model.o: expected at least 0, not -0.1");
    expect(mistake(() => check(limited, 1.1))).toBe("at model.o: expected at most 1, not 1.1");
    const chosen = option("str", { choices: ["a", "b"] });
    expect(check(chosen, "b")).toBe("b");
    expect(mistake(() => check(chosen, "c"))).toBe('at model.o: expected one of a, b, not "c"');
  });

  test("null is a value, not a default: `momentum:` with nothing behind it is refused", () => {
    expect(mistake(() => check(option("float", { default: 0.9 }), null))).toBe(
      "at model.o: expected a number, not null",
    );
  });

  test("what is left out is the backend's default, and is named", () => {
    const entries = [{ name: "net", summary: "", whenToChoose: "", options: { o: option("int", { default: 7 }) } }];
    expect(checker.catalogued("model", entries, { name: "net", options: {} }, [])).toEqual({
      name: "net",
      options: { o: 7 },
    });
  });

  test("an unknown option names the nearest, keys of ours among them", () => {
    const entries = [{ name: "net", summary: "", whenToChoose: "", options: {} }];
    const unknown = { name: "net", options: { subst: 1 } };
    expect(mistake(() => checker.catalogued("dataset", entries, unknown, ["subset"]))).toBe(
      "at dataset.subst: unknown key; did you mean `subset`?",
    );
  });
});
