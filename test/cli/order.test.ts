import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import { ORDERS } from "../../src/orders/index.js";
import { packageRoot } from "../../src/package-root.js";
import { FakeBackend } from "../experiment/fake-backend.js";
import { temporaryDirectory } from "../experiment/scene.js";
import { BACKWARDS, orderModule } from "../order-files/own-order.js";
import { ibatch } from "./run-main.js";

const opened = vi.hoisted(() => ({ openBackend: vi.fn() }));
vi.mock("../../src/backend/backend.js", () => opened);

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

    epoch 1: 11 samples in 4 batches

    | batch | size |  A |  B |  C | indices |
    | ----- | ---: | -: | -: | -: | ------: |
    | 0     |    3 |  3 |  · |  · |   1 9 0 |
    | 1     |    3 |  · |  3 |  · |   8 5 7 |
    | 2     |    3 |  · |  3 |  · |   4 2 6 |
    | 3     |    2 |  · |  · |  2 |    3 10 |

    epoch 2: 11 samples in 4 batches

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
  expect(text).toContain("epoch 1: 1000 samples in 100 batches\n");
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
      `There is no order "homogenous". Did you mean "homogeneous"? Known: ${ORDERS.map(({ name }) => name).join(", ")}.`,
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

/** The path of a new file. */
function file(name: string, content: string | Uint8Array): string {
  const path = join(temporaryDirectory(), name);
  writeFileSync(path, content);
  return path;
}

const LOSSES = [0.5, 3, Number.NaN, 0.25, 2, 1];
const lossFile = (losses: readonly number[] = LOSSES) => {
  const bytes = Buffer.alloc(4 * losses.length);
  for (const [at, loss] of losses.entries()) bytes.writeFloatLE(loss, 4 * at);
  return file("0003.f32", bytes);
};

test("candidates are scored by the losses of a file, by made-up numbers without", async () => {
  const argv = ["pool", "--size", "3", "--epochs", "1"];
  const text = await order(...argv, "--losses", lossFile());
  expect(text).toContain("\ncandidates are scored by these losses; by made-up numbers where there is none\n");
  const [[, size, ...row]] = rows(text);
  const indices = (row.at(-1) ?? "").split(" ").map(Number);
  expect(size).toBe("3");
  const known = indices.filter((index) => index !== 2).map((index) => LOSSES[index]);
  expect(known).toEqual([...known].sort((a, b) => b - a));
  expect(indices.slice(0, 2)).toEqual(expect.arrayContaining([1]));
  expect(await order(...argv, "--samples", "6")).toContain(
    "\ncandidates are scored by made-up numbers, one for each sample\n",
  );
});

describe("a file of one's own", () => {
  test("is shown as any order, with its options", async () => {
    const members = `${BACKWARDS} options: z.strictObject({ share: z.number().default(1) }),`;
    const path = file("mine.mjs", orderModule(members));
    const text = await order(path, "--samples", "5", "--size", "2", "--epochs", "1", "--set", "share=0.5");
    expect(text).toMatch(/^mine: s\n5 samples, 3 classes at random; batches of 2; seed 0\n/);
    expect(rows(text).map((row) => row.at(-1))).toEqual(["4 3", "2 1", "0"]);
  });

  test("what it writes goes to standard error, whether it is shown or checked", async () => {
    const path = file("mine.mjs", `console.log("hello");${orderModule()}`);
    for (const argv of [[path], [path, "--check"]]) {
      const { code, stdout, stderr } = await ibatch("order", ...argv);
      expect(code).toBe(0);
      expect(stderr).toMatch(/^(hello\n)+$/);
      expect(stdout).toMatch(/^mine(: s| keeps the laws)/);
      expect(stdout).not.toContain("hello");
    }
  });

  test.each([
    ["is shown", "", 0],
    ["throws", 'order() { throw new Error("boom"); },', 1],
  ])(
    "an order that %s ends the command, and its threads with it",
    async (_, members, code) => {
      const path = file("mine.mjs", orderModule(members));
      const child = spawn(process.execPath, [join(packageRoot, "dist", "cli", "main.js"), "order", path]);
      child.stdout.resume();
      child.stderr.resume();
      expect(await once(child, "close")).toEqual([code, null]);
    },
    30_000,
  );

  test("a rejection that nobody catches fails the check, as it fails a run", async () => {
    const late = `order: ({ eligible, size }) => {
      Promise.reject(new Error("late"));
      return { indices: eligible.slice(), offsets: offsetsOf(eligible.length, size) };
    },`;
    const { code, stderr } = await ibatch("order", file("mine.mjs", orderModule(late)), "--check");
    expect(stderr).toMatch(/nobody caught Error: late \(mine\.mjs:12\) in .*mine\.mjs/);
    expect(code).not.toBe(0);
  });

  test.each([
    ["SIGINT", 130, "order", []],
    ["SIGTERM", 143, "coverage", ["--check"]],
  ] as const)("in an endless loop ends with %s: exit code %d", async (signal, code, member, argv) => {
    const path = file("mine.mjs", orderModule(`${member}() { console.log("begun"); for (;;); },`));
    const child = spawn(process.execPath, [join(packageRoot, "dist", "cli", "main.js"), "order", path, ...argv]);
    let stderr = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      if (!stderr.includes("begun") && (stderr + text).includes("begun")) child.kill(signal);
      stderr += text;
    });
    const [ended] = await once(child, "close");
    expect([ended, stderr]).toEqual([code, "begun\nibatch: interrupted\n"]);
  });

  test.each([
    ["shown", [], "order mine in epoch 1 failed: PATH gave no answer within 1 s (--seconds)"],
    [
      "checked",
      ["--check"],
      "order mine cannot be checked: PATH gave no answer within 1 s (--seconds); the case under way: 1 sample, batches of 3",
    ],
  ])("that loops for ever has so long as --seconds says when it is %s: one line", async (_, argv, said) => {
    const path = file("loop.mjs", orderModule("order() { for (;;); },"));
    expect(await ibatch("order", path, "--seconds", "1", ...argv)).toEqual({
      code: 1,
      stdout: "",
      stderr: `ibatch: ${said.replace("PATH", path)}\n`,
    });
  });

  test("that is not there, or is no order: exit code 2", async () => {
    expect(await ibatch("order", "/nowhere/mine.mjs")).toEqual({
      code: 2,
      stdout: "",
      stderr: "ibatch: /nowhere/mine.mjs: there is no file /nowhere/mine.mjs\n",
    });
    const path = file("mine.mjs", "export const order = 1;");
    const { code, stderr } = await ibatch("order", path, "--check");
    expect(code).toBe(2);
    expect(stderr).toContain(`${path} has no default export, expected export default defineOrder({ … })`);
    const misspelt = file("mine.mjs", orderModule("epochshare: () => 0.5,"));
    expect(await ibatch("order", misspelt, "--check")).toMatchObject({
      code: 2,
      stderr: `ibatch: the default export of ${misspelt} is no order: no order has the member \`epochshare\`; did you mean \`epochShare\`?\n`,
    });
    expect(await ibatch("order", "replay")).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(
        /^ibatch: replay draws nothing of its own: [^\n]*order: \{ replay: DIR \}[^\n]*\n$/,
      ),
    });
  });

  test.each([
    ["throws", "order() { throw new Error('no idea'); },", "order mine in epoch 1 failed: no idea (mine.mjs:11)"],
    [
      "returns an index that there is not",
      "order: () => ({ indices: Uint32Array.of(99), offsets: Uint32Array.of(0, 1) }),",
      "order mine in epoch 1 breaks a law of orders (indices are eligible): seen 99 of 11, expected some of the 11 eligible indices",
    ],
    [
      "returns nothing",
      "order() {},",
      "order mine in epoch 1 breaks a law of orders (the result has the right types): seen undefined, expected { indices, offsets }, returned at once",
    ],
  ])("that %s is told in one line, as a run would: exit code 1", async (_, members, expected) => {
    const path = file("mine.mjs", orderModule(members));
    expect(await ibatch("order", path)).toEqual({ code: 1, stdout: "", stderr: `ibatch: ${expected}\n` });
  });
});

describe("--check", () => {
  test("of an order that keeps the laws: exit code 0, and how much was tried", async () => {
    const members = "options: z.strictObject({ way: z.enum(['a', 'b']).default('a') }),";
    const said = await ibatch("order", file("mine.mjs", orderModule(members)), "--check");
    expect(said).toEqual({
      code: 0,
      stdout: "mine keeps the laws of orders (2 sets of options tried on 15 cases)\n",
      stderr: "",
    });
  });

  test("of one that breaks some: exit code 1, and each law with its case, what was seen and what was expected", async () => {
    const members = `order: ({ eligible, size }) =>
      ({ indices: eligible.map(() => eligible[0]), offsets: offsetsOf(eligible.length, size) }),`;
    const { code, stdout, stderr } = await ibatch("order", file("mine.mjs", orderModule(members)), "--check");
    expect({ code, stderr }).toEqual({ code: 1, stderr: "" });
    expect(stdout).toContain(
      "mine breaks laws of orders:\n\n  each sample comes as often as declared\n    in 13 of 15 cases, first: 11 samples in 3 classes, batches of 3, " +
        'options {}\n    seen: sample 0 11 times\n    expected: each-once, or `coverage: () => "any"`\n',
    );
  });

  test.each([
    [
      "by the epoch that was asked for first",
      "epoch 3 is another one when it is made by itself",
      `order({ n, epoch, eligible, size }) {
        globalThis.first ??= new Map();
        if (!first.has(n)) first.set(n, epoch);
        const indices = first.get(n) % 2 === 1 ? eligible.slice().reverse() : eligible.slice();
        return { indices, offsets: offsetsOf(eligible.length, size) };
      },`,
    ],
    [
      "by the batches before, with a memory for something else",
      "batch 7 of epoch 3 cannot be made by itself: seen 0 samples, offsets 0, 5, expected 5 samples, offsets 0, 5",
      `order: undefined, memory: { other: { dtype: "u8", length: (n) => n } },
      nextBatch({ batch, count, drawn, eligible }) {
        globalThis.left = batch === 0 ? [...eligible] : globalThis.left ?? [...eligible].reverse().filter((at) => drawn.times[at] === 0);
        return { indices: Uint32Array.from(left.splice(0, count)), offsets: Uint32Array.of(0, count) };
      },`,
    ],
  ])("of one that decides %s: a fresh thread finds what one alone does not", async (_, seen, members) => {
    const { code, stdout } = await ibatch("order", file("mine.mjs", orderModule(members)), "--check");
    expect(code).toBe(1);
    expect(stdout).toMatch(/^mine breaks laws of orders:\n\n {2}what is kept is in memory\n/);
    expect(stdout).toContain(`seen: ${seen}, with the same ledger and memory\n`);
  });

  test("tries what --set says in every set of options; of one it says so", async () => {
    const members = `options: z.strictObject({ way: z.enum(["a", "b"]).default("a"), share: z.number().default(1) }),
      order({ options, eligible, size }) {
        if (options.share < 1) throw new Error("share " + options.share + ", way " + options.way);
        return { indices: eligible.slice(), offsets: offsetsOf(eligible.length, size) };
      },`;
    const path = file("mine.mjs", orderModule(members));
    expect(await order(path, "--check", "--set", "way=b")).toBe(
      "mine keeps the laws of orders (1 set of options tried on 15 cases)\n",
    );
    const { code, stdout } = await ibatch("order", path, "--check", "--set", "share=0.5");
    expect(code).toBe(1);
    expect(stdout).toContain("seen: Error: share 0.5, way a (mine.mjs:13)\n");
    expect(stdout).toContain("seen: Error: share 0.5, way b (mine.mjs:13)\n");
  });

  test("a fault that many cases show is told once, with how many do and the first of them", async () => {
    const members = `options: z.strictObject({ way: z.enum(["a", "b"]).default("a") }),
      order({ options, n }) { if (options.way === "b") throw new Error("boom with " + n); return [n]; },`;
    const { code, stdout } = await ibatch("order", file("mine.mjs", orderModule(members)), "--check");
    expect({ code, stdout }).toEqual({
      code: 1,
      stdout: [
        "mine breaks laws of orders:",
        "",
        "  the result has the right types",
        '    in 15 of 15 cases, with 1 of 2 sets of options, first: 1 sample, batches of 3, options {"way":"a"}',
        "    seen: an Array of 1",
        "    expected: { indices, offsets }, returned at once",
        "",
        "  it returns without an error",
        '    in 15 of 15 cases, with 1 of 2 sets of options, first: 1 sample, batches of 3, options {"way":"b"}',
        "    seen: Error: boom with 1 (mine.mjs:12)",
        "    expected: a result",
        "",
      ].join("\n"),
    });
  });

  test("of a number that needs --set, as it has no default", async () => {
    const path = file("mine.mjs", orderModule("options: z.strictObject({ share: z.number() }),"));
    const { code, stdout } = await ibatch("order", path, "--check");
    expect(code).toBe(1);
    expect(stdout).toContain("every option has a default\n");
    expect(await order(path, "--check", "--set", "share=0.5")).toContain("(1 set of options tried");
  });

  test.each([
    [["--losses", "/nowhere.f32"], "--losses means nothing with --check, which tries the order on cases of its own"],
    [["--dataset", "digits"], "--dataset means nothing with --check, which tries the order on cases of its own"],
    [["--size", "7"], "--size means nothing with --check, which tries the order on cases of its own"],
    [["--set", "powr=2"], "--set powr: unknown key; did you mean `power`?"],
    [
      ["--set", "placebo=true"],
      "--set placebo: unknown key; known: weights, by, power, alpha, floor, unseen, per, cover, fraction, sequence, unbiased, cap, normalise",
    ],
    [["--set", "fraction=2"], "--set fraction: expected at most 1, not 2"],
    [
      ["--set", "sequence=shuffled"],
      '--set sequence: shuffled with fraction 1 is order shuffled: every sample, in random sequence, not "shuffled"',
    ],
  ])("with %j: exit code 2", async (argv, expected) => {
    const said = await ibatch("order", "weighted", "--check", ...argv);
    expect(said).toEqual({ code: 2, stdout: "", stderr: `ibatch: ${expected}\n` });
  });

  test("of an order whose members throw what is no error: exit code 1", async () => {
    const path = file("mine.mjs", orderModule("coverage() { throw Symbol('oh'); },"));
    const { code, stdout } = await ibatch("order", path, "--check");
    expect(code).toBe(1);
    expect(stdout).toContain("seen: coverage: Symbol(oh)\n");
  });

  test("of one of ours", async () => {
    expect(await order("frozen", "--check")).toMatch(/^frozen keeps the laws of orders \(2 sets of options tried/);
  });
});

describe("--losses", () => {
  const indices = (text: string) => rows(text).map((row) => row.at(-1));
  const hardest = ["loss-global", "--epochs", "1", "--size", "2"];

  test("orders by the file's values, one a sample; those never seen last", async () => {
    const text = await order(...hardest, "--losses", lossFile());
    expect(text).toContain("\n6 samples, 3 classes at random; batches of 2; seed 0\n");
    expect(text).not.toContain("no losses yet");
    expect(indices(text)).toEqual(["1 4", "5 0", "3 2"]);
  });

  test("without it, an order that reads losses says that it is as in a first epoch", async () => {
    const text = await order(...hardest);
    expect(text).toContain("no losses yet, as in a run's first epoch; name some with --losses FILE\n");
    expect(await order("shuffled")).not.toContain("no losses yet");
  });

  test("of an order that reads runs recorded earlier it stands for what they made of the samples", async () => {
    const argv = ["forgetting-subset", "--size", "3", "--epochs", "1", "--set", "fraction=0.5"];
    const kept = async (...more: string[]) =>
      indices(await order(...argv, ...more))[0]
        ?.split(" ")
        .sort();
    expect(await kept("--losses", lossFile([0, 3, 1, 0, 2, 0]))).toEqual(["1", "2", "4"]);
    expect(await kept("--samples", "6")).toHaveLength(3);
    expect(await order(...argv)).toContain(
      "\nnothing is known of runs recorded earlier; name values in their place with --losses FILE\n",
    );
    expect(await ibatch("order", ...argv, "--set", "from=x")).toEqual({
      code: 2,
      stdout: "",
      stderr:
        "ibatch: --set from: no runs are read here; --losses FILE gives values in their place, a float32 a sample\n",
    });
  });

  test("placebo gives each sample the loss of another one", async () => {
    const all = Array.from({ length: 40 }, (_, index) => 40 - index);
    const losses = ["--losses", lossFile(all), "--size", "8"];
    const first = async (...more: string[]) => indices(await order("loss-global", "--epochs", "2", ...losses, ...more));
    expect((await first())[0]).toBe("0 1 2 3 4 5 6 7");
    const placebo = await first("--set", "placebo=true");
    expect(placebo[0]).not.toBe("0 1 2 3 4 5 6 7");
    expect(placebo.slice(0, 5), "another way in the next epoch").not.toEqual(placebo.slice(5));
  });

  test("of a dataset are one for each of its samples, or they are another one's: exit code 2", async () => {
    const stop = vi.fn(async () => {});
    opened.openBackend.mockImplementation(async () => ({ client: new FakeBackend({ n: 6 }), stop }));
    const shown = await order(...hardest, "--dataset", "digits", "--losses", lossFile());
    expect(shown).toContain("\ndigits: 6 samples, 3 classes; batches of 2; seed 0\n");
    expect(indices(shown)).toEqual(["1 4", "5 0", "3 2"]);
    const short = lossFile([1, 2]);
    expect(await ibatch("order", ...hardest, "--dataset", "digits", "--losses", short)).toEqual({
      code: 2,
      stdout: "",
      stderr: `ibatch: --losses ${short} has 2 values, digits: 6 samples, 3 classes: take the losses of this dataset\n`,
    });
    expect(stop).toHaveBeenCalledTimes(2);
  });

  test.each<[string, () => string[], string]>([
    [
      "an order that does not look",
      () => ["shuffled", "--losses", lossFile()],
      "order shuffled does not look at losses",
    ],
    [
      "options that read other signals",
      () => ["loss-global", "--set", "by=margin", "--losses", lossFile()],
      "these options read margin, not losses alone",
    ],
    ["a file that is not there", () => ["loss-global", "--losses", "/nowhere/0.f32"], "/nowhere/0.f32 is missing"],
    [
      "bytes that are no float32",
      () => ["loss-global", "--losses", file("x.f32", "abcde")],
      "5 bytes are no whole number",
    ],
    ["an empty file", () => ["loss-global", "--losses", file("x.f32", "")], "holds no values"],
  ])("with %s: exit code 2", async (_, argv, expected) => {
    const { code, stdout, stderr } = await ibatch("order", ...argv());
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain(expected);
    expect(stderr.trimEnd().split("\n")).toHaveLength(1);
  });
});
