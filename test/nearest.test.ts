import { describe, expect, test } from "vitest";
import { IbatchError } from "../src/errors.js";
import { findNamed, nearest } from "../src/nearest.js";

describe("nearest", () => {
  const known = ["learningRate", "warmupEpochs", "order", "heterogeneous", "homogeneous", "seeds", "sgd"];

  test.each([
    ["learning_rate", "learningRate"],
    ["LearningRate", "learningRate"],
    ["ordre", "order"],
    ["oder", "order"],
    ["seed", "seeds"],
    ["sdg", "sgd"],
    ["hetero", "heterogeneous"],
    ["homogenous", "homogeneous"],
  ])("of %s is %s", (name, expected) => {
    expect(nearest(name, known)).toBe(expected);
  });

  test.each(["", "lr", "x", "batching", "toString"])("of %j is none", (name) => {
    expect(nearest(name, known)).toBeUndefined();
  });

  test("of nothing known is none; of two equally near it is the first", () => {
    expect(nearest("order", [])).toBeUndefined();
    expect(nearest("cat", ["bat", "hat"])).toBe("bat");
  });
});

describe("findNamed", () => {
  const table = [{ name: "sgd" }, { name: "adam" }];

  test("gives the entry itself", () => {
    expect(findNamed("optimizer", table, "adam")).toBe(table[1]);
  });

  test("names what was asked for, what is near and what there is", () => {
    expect(() => findNamed("optimizer", table, "adamm")).toThrow(
      new IbatchError("usage", 'There is no optimizer "adamm". Did you mean "adam"? Known: sgd, adam.'),
    );
    expect(() => findNamed("optimizer", table, "lbfgs")).toThrow(
      new IbatchError("usage", 'There is no optimizer "lbfgs". Known: sgd, adam.'),
    );
  });
});
