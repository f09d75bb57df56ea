import { readdirSync } from "node:fs";
import { describe, expect, test } from "vitest";
import constant from "../../src/batching/constant.js";
import { BATCHING_RULES, findBatching } from "../../src/batching/index.js";
import { IbatchError } from "../../src/errors.js";

describe("the table of batching rules", () => {
  test("has one line for each file of the folder, under the file's name", () => {
    const files = readdirSync(new URL("../../src/batching", import.meta.url))
      .map((file) => file.replace(/\.ts$/, ""))
      .filter((name) => name !== "contract" && name !== "index");
    expect(BATCHING_RULES.map((rule) => rule.name).sort()).toEqual(files.sort());
  });

  test.each(BATCHING_RULES.map((rule) => [rule.name, rule] as const))("%s describes each option", (_name, rule) => {
    for (const option of Object.values(rule.options.shape)) expect(option.description ?? "").not.toBe("");
    expect(rule.options.safeParse({ noSuchOption: 1 }).success).toBe(false);
  });

  test("finds by name, and names what is near", () => {
    expect(findBatching("constant").name).toBe("constant");
    expect(() => findBatching("constnat")).toThrow(
      new IbatchError("usage", 'There is no batching rule "constnat". Did you mean "constant"? Known: constant.'),
    );
  });
});

describe("constant", () => {
  test("says the same size for every batch", () => {
    const options = constant.options.parse({ size: 32 });
    const context = { options, epoch: 3, epochs: 6, eligibleCount: 1437 };
    expect([0, 1, 44].map((batch) => constant.size(batch, context))).toEqual([32, 32, 32]);
  });

  test.each([{}, { size: 0 }, { size: -1 }, { size: 2.5 }, { size: "32" }, { size: null }])("refuses %j", (options) => {
    expect(constant.options.safeParse(options).success).toBe(false);
  });
});
