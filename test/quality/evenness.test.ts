import { describe, expect, test } from "vitest";
import { momentsOf, type Table } from "../../src/quality/evenness.js";

function permutations<T>(values: readonly T[]): T[][] {
  if (values.length === 0) return [[]];
  return values.flatMap((value, at) => permutations(values.toSpliced(at, 1)).map((rest) => [value, ...rest]));
}

/** Of labels in batches. */
function tableOf(labels: readonly number[], batchOf: readonly number[]): Table {
  const rows = new Float64Array(Math.max(...batchOf) + 1);
  const columns = new Float64Array(Math.max(...labels) + 1);
  const cells = new Map<string, number>();
  for (const [at, label] of labels.entries()) {
    rows[batchOf[at]]++;
    columns[label]++;
    const key = `${batchOf[at]} ${label}`;
    cells.set(key, (cells.get(key) ?? 0) + 1);
  }
  let squares = 0;
  for (const [key, count] of cells) {
    const [row, column] = key.split(" ").map(Number);
    squares += count ** 2 / (rows[row] * columns[column]);
  }
  return { rows, columns, squares };
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

describe("mean and variance of chi-square are those over all permutations", () => {
  test.each([
    { labels: [0, 0, 0, 1, 1, 1], batchOf: [0, 0, 0, 1, 1, 1] },
    { labels: [0, 0, 0, 0, 0, 1, 1], batchOf: [0, 0, 0, 1, 1, 1, 2] },
    { labels: [0, 0, 1, 1, 2, 3, 3], batchOf: [0, 0, 1, 1, 2, 2, 2] },
    { labels: [0, 0, 2, 2, 3, 3, 3], batchOf: [0, 0, 1, 1, 1, 3, 3] }, // class 1 and batch 2 hold nothing
  ])("labels $labels in batches $batchOf", ({ labels, batchOf }) => {
    const all = permutations(labels).map((permuted) => momentsOf(tableOf(permuted, batchOf)));
    const statistics = all.map(({ statistic }) => statistic);
    expect(all[0].mean).toBeCloseTo(mean(statistics), 9);
    expect(all[0].variance).toBeCloseTo(mean(statistics.map((value) => (value - all[0].mean) ** 2)), 9);
  });
});

test("by hand: two classes, each in a batch of its own, against one of each in both", () => {
  expect(momentsOf(tableOf([0, 0, 1, 1], [0, 0, 1, 1]))).toMatchObject({ statistic: 4, degrees: 1 });
  expect(momentsOf(tableOf([0, 1, 0, 1], [0, 0, 1, 1]))).toMatchObject({ statistic: 0, degrees: 1 });
});

test("one batch, or one class, says nothing", () => {
  expect(momentsOf(tableOf([0, 1, 0, 1], [0, 0, 0, 0])).degrees).toBe(0);
  expect(momentsOf(tableOf([2, 2, 2, 2], [0, 0, 1, 1])).degrees).toBe(0);
});
