import { describe, expect, test } from "vitest";
import { z } from "zod";
import { optionCombinations } from "../../src/orders/option-combinations.js";
import homogeneous from "../../src/orders/rules/homogeneous.js";

describe("what is tried", () => {
  test("every combination of enum and boolean options, the others at their defaults", () => {
    const schema = z.strictObject({
      sequence: z.enum(["file", "shuffled"]).default("file"),
      twice: z.boolean().default(false),
      share: z.number().default(0.5),
    });
    expect(optionCombinations(schema)).toEqual([
      { sequence: "file", twice: false, share: 0.5 },
      { sequence: "file", twice: true, share: 0.5 },
      { sequence: "shuffled", twice: false, share: 0.5 },
      { sequence: "shuffled", twice: true, share: 0.5 },
    ]);
    expect(optionCombinations(homogeneous.options)).toHaveLength(4);
    expect(optionCombinations(z.strictObject({}))).toEqual([{}]);
  });

  test("only what the schema takes", () => {
    const schema = z
      .strictObject({ a: z.boolean().default(false), b: z.boolean().default(false) })
      .refine(({ a, b }) => !(a && b));
    expect(optionCombinations(schema)).toEqual([
      { a: false, b: false },
      { a: false, b: true },
      { a: true, b: false },
    ]);
  });

  test("of more than 64 combinations those with at most two options not at their first value", () => {
    const names = ["a", "b", "c", "d", "e", "f", "g"];
    const schema = z.strictObject(Object.fromEntries(names.map((name) => [name, z.boolean().default(false)])));
    const combinations = optionCombinations(schema);
    expect(combinations).toHaveLength(1 + 7 + 21);
    for (const chosen of combinations) expect(Object.values(chosen).filter(Boolean).length).toBeLessThanOrEqual(2);
  });

  test("values that are fixed are in each of them, and count among what the schema takes", () => {
    const schema = z
      .strictObject({ a: z.boolean().default(false), b: z.boolean().default(false), share: z.number().default(1) })
      .refine(({ a, share }) => !a || share < 1);
    expect(optionCombinations(schema, { b: true })).toEqual([{ a: false, b: true, share: 1 }]);
    expect(optionCombinations(schema, { b: true, share: 0.5 })).toEqual([
      { a: false, b: true, share: 0.5 },
      { a: true, b: true, share: 0.5 },
    ]);
    expect(optionCombinations(schema, { share: "half" })).toEqual([]);
  });

  test("the defaults where every combination that is listed is refused", () => {
    const flags = ["a", "b", "c", "d", "e", "f", "g"].map((name) => [name, z.boolean().default(true)]);
    const schema = z
      .strictObject(Object.fromEntries(flags))
      .refine((options) => !Object.values(options).includes(false));
    expect(optionCombinations(schema)).toEqual([schema.parse({})]);
  });
});
