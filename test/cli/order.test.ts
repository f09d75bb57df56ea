import { describe, expect, test } from "vitest";
import { ibatch } from "./run-main.js";

async function order(...argv: string[]): Promise<string> {
  const { code, stdout, stderr } = await ibatch("order", ...argv);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return stdout;
}

/** Rows of the tables: batch, size, a count a class, indices. */
const rows = (text: string) =>
  text
    .split("\n")
    .filter((line) => /^\| \d/.test(line))
    .map((line) =>
      line
        .split("|")
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );

test("homogeneous on 11 samples in batches of 3: four batches, as on the slides", async () => {
  expect(await order("homogeneous")).toMatchInlineSnapshot(`
    "homogeneous: Whole batches of one class; samples reshuffled within each class in every epoch.
    11 samples, 3 classes at random; batches of 3; seed 0

    epoch 0: 11 samples in 4 batches

    | batch | size |  A |  B |  C | indices |
    | ----- | ---: | -: | -: | -: | ------: |
    | 0     |    3 |  3 |  · |  · |   1 9 0 |
    | 1     |    3 |  · |  3 |  · |   8 5 7 |
    | 2     |    3 |  · |  3 |  · |   4 2 6 |
    | 3     |    2 |  · |  · |  2 |    3 10 |

    epoch 1: 11 samples in 4 batches

    | batch | size |  A |  B |  C | indices |
    | ----- | ---: | -: | -: | -: | ------: |
    | 0     |    3 |  3 |  · |  · |   1 0 9 |
    | 1     |    3 |  · |  3 |  · |   5 6 4 |
    | 2     |    3 |  · |  3 |  · |   8 7 2 |
    | 3     |    2 |  · |  · |  2 |    10 3 |

    "
  `);
});

test.each(["frozen", "shuffled", "homogeneous", "heterogeneous"])(
  "%s: counts a class are those of the indices",
  async (name) => {
    const all = rows(await order(name, "--epochs", "1"));
    expect(all.map(([batch, size]) => [batch, size])).toEqual([
      ["0", "3"],
      ["1", "3"],
      ["2", "3"],
      ["3", "2"],
    ]);
    const indices = all.flatMap((row) => row[5].split(" ").map(Number));
    expect(indices.toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    const count = (cell: string) => (cell === "·" ? 0 : Number(cell));
    for (const [, size, a, b, c] of all) expect(count(a) + count(b) + count(c)).toBe(Number(size));
  },
);

test("an order's own option is taken, and changes what it does", async () => {
  const mixed = rows(await order("homogeneous", "--samples", "14", "--epochs", "1"));
  const short = rows(await order("homogeneous", "--samples", "14", "--epochs", "1", "--set", "leftovers=short"));
  const classesOf = (row: string[]) => row.slice(2, 5).filter((cell) => cell !== "·").length;
  expect(short.every((row) => classesOf(row) === 1)).toBe(true);
  expect(mixed.some((row) => classesOf(row) > 1)).toBe(true);
});

test("a long epoch is cut, and says by how much; so are many indices and many classes", async () => {
  const text = await order("shuffled", "--samples", "1000", "--size", "10", "--classes", "40", "--batches", "2");
  expect(text).toContain("epoch 0: 1000 samples in 100 batches\n");
  expect(text).toContain("… and 98 batches more\n");
  expect(text).toContain("… and 28 classes more\n");
  expect(rows(text)).toHaveLength(4);
  for (const row of rows(text)) expect(row[row.length - 1]).toMatch(/^(\d+ ){8}…$/);
});

test("the same command, the same words; another seed, others", async () => {
  const first = await order("shuffled");
  expect(await order("shuffled")).toBe(first);
  expect(rows(await order("shuffled", "--seed", "1"))).not.toEqual(rows(first));
});

describe("what cannot be shown: exit code 2", () => {
  test.each([
    [
      ["homogenous"],
      'There is no order "homogenous". Did you mean "homogeneous"? Known: frozen, shuffled, homogeneous, heterogeneous.',
    ],
    [["homogeneous", "--set", "leftover=short"], "--set leftover: unknown key; did you mean `leftovers`?"],
    [["homogeneous", "--set", "leftovers=shrt"], '--set leftovers: expected one of mixed, short, not "shrt"'],
    [["shuffled", "--set", "x=1"], "--set x: unknown key; there are no options here"],
    [["frozen", "--set", "sequence"], "--set sequence: expected option=value, for instance leftovers=short"],
    [["frozen", "--set", "sequence=[a"], "--set sequence=[a: the value is no YAML: Flow sequence must end with a ]"],
  ])("%j", async (argv, expected) => {
    expect(await ibatch("order", ...argv)).toEqual({ code: 2, stdout: "", stderr: `ibatch: ${expected}\n` });
  });
});

test("Ctrl-C between two epochs ends it: exit code 130, one line", async () => {
  process.nextTick(() => setImmediate(() => process.emit("SIGINT")));
  const said = await ibatch("order", "shuffled", "--epochs", "10000000");
  expect(said).toEqual({ code: 130, stdout: "", stderr: "ibatch: interrupted\n" });
});
