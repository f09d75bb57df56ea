import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import { FakeBackend } from "../experiment/fake-backend.js";
import { temporaryDirectory } from "../experiment/scene.js";
import { orderModule } from "../order-files/own-order.js";
import { joined, turned, uniform, upTo } from "../quality/made.js";
import { npy } from "../record/npy.js";
import { ibatch } from "./run-main.js";

const opened = vi.hoisted(() => ({ openBackend: vi.fn() }));
vi.mock("../../src/backend/backend.js", () => opened);

const quality = (...argv: string[]) => ibatch("order", "--quality", ...argv);

function file(name: string, content: string | Uint8Array): string {
  const path = join(temporaryDirectory(), name);
  writeFileSync(path, content);
  return path;
}

const raw = (...sequences: readonly Uint32Array[]) => new Uint8Array(joined(...sequences).buffer);
/** Two epochs of a seed. */
const epochs = (seed: number, n = 1000) => [uniform(seed, 0, upTo(n)), uniform(seed, 1, upTo(n))];

describe("of an order", () => {
  test("our shuffle: what was judged, every test, one line of verdict; exit code 0", async () => {
    const { code, stdout, stderr } = await quality("shuffled");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatchInlineSnapshot(`
      "shuffled: A fresh shuffle in every epoch.
      10000 samples, 3 classes at random; batches of 64; 2 seeds × 4 epochs

      each index once: yes
      equal sequences: none

      | test                |      seen | 95 % of shuffles |     p | Holm |
      | ------------------- | --------: | ---------------: | ----: | ---: |
      | spread: odd indices |    1.0147 |  0.9222 … 1.0778 |  0.70 |    1 |
      | spread: first half  |    1.0430 |  0.9222 … 1.0778 |  0.28 |    1 |
      | spread: classes     |    1.0346 |  0.9450 … 1.0550 |  0.22 |    1 |
      | neighbours i, i ± 1 |        15 |    16.0 (9 … 24) |  0.93 |    1 |
      | most frequent step  |  20 × −79 |        19 (≤ 21) |  0.36 |    1 |
      | epochs: correlation |    0.0262 |         ± 0.0287 |  0.11 |    1 |
      | epochs: same place  |        16 |    12.0 (6 … 19) |  0.31 |    1 |
      | epochs: shift       | 7 × +4860 |          8 (≤ 9) |     1 |    1 |
      | epochs: batches     |    0.9953 |  0.9950 … 1.0050 | 0.066 | 0.86 |
      | seeds: correlation  |   −0.0163 |         ± 0.0296 |     1 |    1 |
      | seeds: same place   |        16 |    16.0 (9 … 24) |     1 |    1 |
      | seeds: shift        | 7 × +6405 |          8 (≤ 9) |     1 |    1 |
      | seeds: batches      |    0.9991 |  0.9956 … 1.0044 |  0.69 |    1 |

      spread: variance of counts in batches, as a multiple of a uniform shuffle's
      step: from an index to the next; the most frequent one, and how often it comes
      epochs, seeds: two epochs of one seed, or of two. An index's places in both are
      correlated (the furthest of all pairs), the same, or a shift apart (cyclic, the
      most frequent); batches: spread of a batch's samples over the other's batches

      verdict: cannot be told apart from a uniform shuffle (13 tests, p < 0.05 after Holm in none)
      "
    `);
  });

  test("one that balances classes is told by them alone; exit code 1", async () => {
    const { code, stdout } = await quality("heterogeneous", "--samples", "2000", "--size", "20", "--seeds", "1");
    expect(code).toBe(1);
    expect(stdout).toContain("2000 samples, 3 classes at random; batches of 20; 1 seed × 4 epochs\n");
    expect(stdout).toContain("\nverdict: no uniform shuffle: spread: classes\n");
  });

  test("takes its options, and says equal sequences by name, four of them at most", async () => {
    const { code, stdout } = await quality("frozen", "--set", "sequence=shuffled", "--samples", "500");
    expect(code).toBe(1);
    expect(stdout).toContain(
      [
        "equal sequences, one of which is looked at below:",
        "  epoch 1 of seed 0 equals epoch 0 of seed 0",
        "  epoch 2 of seed 0 equals epoch 0 of seed 0",
        "  epoch 3 of seed 0 equals epoch 0 of seed 0",
        "  epoch 1 of seed 1 equals epoch 0 of seed 1",
        "  … and 2 more",
      ].join("\n"),
    );
    expect(stdout).toContain("epochs: not asked, as there are no two different epochs with at least 100 ");
    expect(stdout).toMatch(/\nverdict: no uniform shuffle: equal sequences\n$/);
  });

  test("in a file of one's own, with the labels of a file", async () => {
    const path = file("mine.mjs", orderModule());
    const labels = file("labels.txt", [...upTo(300)].map((index) => index % 2).join("\n"));
    const { code, stdout } = await quality(path, "--labels", labels, "--size", "10");
    expect(code).toBe(1);
    expect(stdout).toContain(`mine: s\n${labels}: 300 samples, 2 classes; batches of 10; 2 seeds × 4 epochs\n`);
    expect(stdout).toContain("verdict: no uniform shuffle: equal sequences; spread: ");
  });
});

describe("of files", () => {
  test("raw u32, epochs parted by --samples", async () => {
    const path = file("order.u32", raw(...epochs(0)));
    const { code, stdout } = await quality(path, "--samples", "1000");
    expect(stdout).toContain(`${path}\n1000 samples; batches of 64; 1 seed × 2 epochs\n`);
    expect(stdout).toContain(
      "seeds: not asked, as there are no two different seeds with at least 100 indices in common\n",
    );
    expect(stdout).toContain("verdict: cannot be told apart from a uniform shuffle (8 tests, ");
    expect(code).toBe(0);
  });

  test("one for each seed: an epoch of another seed that comes again is found", async () => {
    const [a, b] = [0, 1].map((seed) => epochs(seed));
    const files = [
      file("0.npy", npy("<i8", [2, 1000], [...joined(...a)])),
      file("1.npy", npy("<i8", [2, 1000], [...joined(a[1], b[1])])),
    ];
    const { code, stdout } = await quality(...files, "--size", "50");
    expect(code).toBe(1);
    expect(stdout).toContain(`${files.join(", ")}\n1000 samples; batches of 50; 2 seeds × 2 epochs\n`);
    expect(stdout).toContain("looked at below:\n  epoch 0 of seed 1 equals epoch 1 of seed 0\n");
  });

  test("text: a turned sequence is told by its step", async () => {
    const { code, stdout } = await quality(file("x.txt", turned(upTo(1000), 300).join("\n")));
    expect(code).toBe(1);
    expect(stdout).toMatch(/\| most frequent step +\| +998 × \+1 \|/);
  });

  test("with labels of a dataset", async () => {
    const stop = vi.fn(async () => {});
    opened.openBackend.mockImplementation(async () => ({ client: new FakeBackend({ n: 300 }), stop }));
    const path = file("x.u32", raw(...epochs(0, 300)));
    const said = await quality(path, "--dataset", "digits", "--samples", "300", "--size", "10");
    expect(said.stdout).toContain("300 samples; batches of 10; classes of digits: 300 samples, 3 classes; 1 seed × 2");
    expect(said.stdout).toContain("| spread: classes ");
    expect(stop).toHaveBeenCalledOnce();
  });

  test("epochs one after another that leave samples out: how to part them stands beside the verdict, and does", async () => {
    const short = [0, 1].map((epoch) => uniform(0, epoch, upTo(300)).subarray(0, 290));
    const path = file("x.u32", raw(...short));
    const { code, stdout } = await quality(path);
    const most = Math.max(...joined(...short));
    expect(code).toBe(1);
    expect(stdout).toMatch(
      new RegExp(
        `\nverdict: no uniform shuffle: not each index once.*\n\\S*x\\.u32: one epoch of 580 indices, the largest of which is ${most}\\. ` +
          "Where these are several epochs, one after another, part them: with --samples N where each has all N samples; else as " +
          "\\.npy of epochs × indices, or as text with a blank line between two\n$",
      ),
    );
    for (const parted of [
      file("x.npy", npy("<i8", [2, 290], [...joined(...short)])),
      file("x.txt", short.map((epoch) => epoch.join("\n")).join("\n\n")),
    ]) {
      const said = await quality(parted);
      expect(said.stdout).toContain("1 seed × 2 epochs\n");
      expect(said.stdout).not.toContain("one after another");
    }
  });

  test("few indices are judged by what needs no p-values, and that is said", async () => {
    const { code, stdout } = await quality(file("x.txt", "2 0 1"));
    expect(code).toBe(0);
    expect(stdout).toContain(
      "tests: not asked, as an epoch has fewer than 100 indices\n\nverdict: nothing wrong is seen, and there is too little to tell\n",
    );
  });

  test("a missing index is counted against --samples", async () => {
    const { code, stdout } = await quality(file("x.txt", upTo(9).join(" ")), "--samples", "10");
    expect(code).toBe(1);
    expect(stdout).toContain("each index once:\n  epoch 0 of seed 0: 1 of 10 missing (first 9)\n");
    expect(stdout).toContain("verdict: no uniform shuffle: not each index once\n");
  });
});

describe("what cannot be judged: exit code 2, one line", () => {
  const three = () => file("x.txt", "2 0 1");
  test.each<[string, () => string[], string]>([
    ["a file that is not there", () => ["./nowhere.npy"], "./nowhere.npy is missing: name another file"],
    ["an order that is not there", () => ["shufled"], 'There is no order "shufled". Did you mean "shuffled"?'],
    ["an empty file", () => [file("x.u32", "")], "x.u32: it is empty"],
    ["no integers", () => [file("x.txt", "0 0.5")], 'x.txt: "0.5" at place 1: expected integers'],
    [
      "a text of words, none of which is quoted whole",
      () => [file("x", `0 1 ${"2,".repeat(5000)}`)],
      `x: "${"2,".repeat(20)}…" at place 2: expected integers, parted by white space`,
    ],
    ["a letter in a text", () => [file("x.dat", "0 1 2 x 4 5")], 'x.dat: "x" at place 3: expected integers'],
    [
      "epochs one after another that nothing parts",
      () => [file("x.u32", raw(...epochs(0, 300)))],
      "x.u32: each of 300 indices comes 2 times. Where these are 2 epochs, one after another, give --samples 300",
    ],
    ["one epoch for several seeds", () => [three(), "--seeds", "3"], "x.txt: 1 epoch cannot be dealt to 3 seeds"],
    ["a negative one", () => [file("x.txt", "0 -1")], "x.txt: value -1 at place 1: expected integers from 0"],
    [
      "an index beyond --samples",
      () => [file("x.txt", "0 3\n\n1 2"), "--samples", "3"],
      "x.txt: epoch 0 has index 3 at place 1: expected 0 to 2, by --samples 3",
    ],
    [
      "another number of indices",
      () => [file("x.u32", raw(upTo(4))), "--samples", "3"],
      "4 indices are no whole number",
    ],
    [
      "labels of other samples",
      () => [three(), "--labels", file("labels.txt", "0 1")],
      "x.txt: epoch 0 has index 2 at place 0: expected 0 to 1, by --labels",
    ],
    [
      "labels of another number than --samples",
      () => [three(), "--labels", file("labels.txt", "0 1 1"), "--samples", "4"],
      "labels.txt has 3 samples, --samples says 4: leave --samples out, or name others",
    ],
    [
      "bytes of something else",
      () => [file("model.bin", Buffer.from("PK\u0003\u0004 a zip.."))],
      "model.bin: the largest index is 2048942368, expected at most 9999999: is this a file of indices?",
    ],
    ["a file without a dot in its name", () => ["LICENSE"], "LICENSE: "],
    [
      "labels that are no classes",
      () => [three(), "--labels", file("labels.txt", "0 1 70000")],
      "labels.txt has label 70000 among 3 samples: expected classes from 0 on",
    ],
    [
      "two kinds of labels",
      () => [three(), "--labels", three(), "--dataset", "digits"],
      "--labels and --dataset both say the classes: give one of them",
    ],
    ["options of an order", () => [three(), "--seed", "3"], "--seed means nothing with --quality of a file"],
    ["batches to show", () => ["shuffled", "--batches", "3"], "--batches means nothing with --quality, which shows no"],
    ["two orders", () => ["shuffled", "frozen"], "shuffled, frozen: expected one order; several files are judged"],
  ])("%s", async (_, argv, expected) => {
    const { code, stdout, stderr } = await quality(...argv());
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toMatch(/^ibatch: [^\n]*\n$/);
    expect(stderr).toContain(expected);
  });

  test("--seeds and several names mean nothing without it", async () => {
    expect((await ibatch("order", "shuffled", "--seeds", "3")).stderr).toBe(
      "ibatch: --seeds means nothing without --quality\n",
    );
    expect((await ibatch("order", "shuffled", "frozen")).stderr).toContain("expected one order");
  });

  test("--check and --quality are two things", async () => {
    expect((await quality("shuffled", "--check")).stderr).toContain("--quality means nothing with --check");
  });
});
