// What `npm run bench -- checkpoint` makes of its figures.
import { expect, test } from "vitest";
import { tableOfRuns } from "../../bench/checkpoint/report.mjs";

test("what checkpoints took of a run is the most of all pairs, and no median", () => {
  const pairs = [
    { default: 10, none: 8, saves: 3, milliseconds: 10 },
    { default: 20, none: 20, saves: 4, milliseconds: 400 },
    { default: 10, none: 10, saves: 4, milliseconds: 20 },
  ];
  const [head = "", , row = ""] = tableOfRuns(pairs).split("\n");
  const cells = (line: string) => line.split("|").map((cell) => cell.trim());
  const of = (column: string) => cells(row)[cells(head).indexOf(column)];
  expect(of("most of any run")).toBe("2.00 %");
  expect(of("under way, ms in all")).toBe("20.0");
  expect(of("difference, median of pairs")).toBe("0.00 %");
  expect(of("least … most")).toBe("0.00 % … 25.00 %");
});
