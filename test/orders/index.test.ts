import { describe, expect, test } from "vitest";
import { IbatchError } from "../../src/errors.js";
import { findOrder, ORDERS } from "../../src/orders/index.js";
import { ruleFiles } from "./rule-files.js";

describe("the table of orders", () => {
  test("has one line for each file of the folder, under the file's name", () => {
    const names = ORDERS.map((order) => order.name);
    expect([...names].sort()).toEqual(ruleFiles());
    expect(new Set(names).size).toBe(names.length);
  });

  test.each(ORDERS.map((order) => [order.name, order] as const))("%s describes each option", (_name, order) => {
    for (const option of Object.values(order.options.shape)) {
      expect(option.description ?? "").not.toBe("");
    }
    expect(order.options.safeParse({ noSuchOption: 1 }).success).toBe(false);
  });
});

describe("findOrder", () => {
  test("finds by name", () => {
    expect(findOrder("frozen").name).toBe("frozen");
  });

  test.each([
    ["shufled", 'There is no order "shufled". Did you mean "shuffled"? Known: '],
    ["hetero", 'There is no order "hetero". Did you mean "heterogeneous"? Known: '],
    ["constructor", 'There is no order "constructor". Known: '],
  ])("of %s names what is near and what there is", (name, beginning) => {
    const known = ORDERS.map((order) => order.name).join(", ");
    expect(() => findOrder(name)).toThrow(new IbatchError("usage", `${beginning}${known}.`));
  });
});
