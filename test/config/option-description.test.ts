import { expect, test } from "vitest";
import { z } from "zod";
import { describeOptions } from "../../src/config/option-description.js";

test("an option is told by its name, type, default and help, as its schema has them", () => {
  const schema = z.strictObject({
    size: z.int().min(1).describe("samples"),
    rate: z.number().default(0.1).describe("share"),
    kind: z.enum(["a", "b"]).default("a"),
    flag: z.boolean().default(false),
    text: z.string().optional(),
    list: z.array(z.number()),
    place: z.string().nullable().optional(),
    either: z.union([z.literal("auto"), z.int()]).default("auto"),
    map: z.record(z.string(), z.number()).prefault({}),
    any: z.unknown(),
  });
  const told = describeOptions(schema).map(({ name, type, needed, default: fallback, help }) => [
    name,
    type,
    needed,
    fallback,
    help,
  ]);
  expect(told).toEqual([
    ["size", "integer", true, undefined, "samples"],
    ["rate", "number", false, 0.1, "share"],
    ["kind", "a | b", false, "a", ""],
    ["flag", "boolean", false, false, ""],
    ["text", "string", false, undefined, ""],
    ["list", "list of number", true, undefined, ""],
    ["place", "string | null", false, undefined, ""],
    ["either", "auto | integer", false, "auto", ""],
    ["map", "object", false, {}, ""],
    ["any", "value", false, undefined, ""],
  ]);
});
