import { expect, test } from "vitest";
import { markdown } from "../src/markdown-table.js";

test("a Markdown table: first column to the left, others to the right, every rule long enough to be one", () => {
  expect(
    markdown(
      ["a", "B", "number"],
      [
        ["long name", "1", "2"],
        ["–", "·", "± 3"],
      ],
    ),
  ).toMatchInlineSnapshot(`
    "| a         |  B | number |
    | --------- | -: | -----: |
    | long name |  1 |      2 |
    | –         |  · |    ± 3 |
    "
  `);
});

test("a table may have hundreds of thousands of rows", () => {
  const rows = Array.from({ length: 300_000 }, (_, at) => [String(at)]);
  expect(markdown(["batch"], rows).split("\n").slice(-2)).toEqual(["| 299999 |", ""]);
});
