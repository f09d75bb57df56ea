import { describe, expect, test } from "vitest";
import { random } from "../../src/kernels/random.js";
import { shuffle } from "../../src/kernels/shuffle.js";
import { judge } from "../../src/quality/judge.js";
import { joined, madeBy, N, SIZE, sequencesOf, turned, uniform, upTo } from "./made.js";

const offOf = (rule: (seed: number, epoch: number) => Uint32Array) => judge(madeBy(rule)).off;

test("uniform shuffles cannot be told apart from themselves", () => {
  const { off, tests, skipped, equal, notEachOnce } = judge(madeBy(uniform));
  expect({ off, skipped, equal, notEachOnce }).toEqual({ off: [], skipped: [], equal: [], notEachOnce: [] });
  expect(tests.map(({ name }) => name)).toEqual([
    "spread: odd indices",
    "spread: first half",
    "neighbours i, i ± 1",
    "most frequent step",
    ...["epochs", "seeds"].flatMap((what) => [
      `${what}: correlation`,
      `${what}: same place`,
      `${what}: shift`,
      `${what}: batches`,
    ]),
  ]);
});

const HALF = N / 2;
/** Blocks of so many. */
const BLOCK = 20;
const blocks = Array.from({ length: N / BLOCK }, (_, at) => upTo(BLOCK, at * BLOCK));
const FIXED = uniform(7, 7);

/** What comes out of a buffer of `size` that the file's sequence is read through. */
function buffered(seed: number, epoch: number, size: number): Uint32Array {
  const numbers = random(seed, "order", epoch);
  const buffer = [...upTo(size)];
  const out = Array.from(upTo(N - size, size), (next) => {
    const at = numbers.below(size);
    const [drawn] = buffer.splice(at, 1, next);
    return drawn;
  });
  const rest = Uint32Array.from(buffer);
  shuffle(rest, numbers);
  return joined(out, rest);
}

/** The place of each value in a sequence of blocks, which are shuffled as a whole. */
const blocksShuffled = (seed: number, epoch: number, inner: (block: Uint32Array, at: number) => Uint32Array) =>
  joined(...Array.from(uniform(seed, epoch, upTo(N / BLOCK)), (at) => inner(blocks[at], at)));

/** With one index in the place of another. */
function replaced(values: Uint32Array, from: number, to: number): Uint32Array {
  return values.map((value) => (value === from ? to : value));
}

describe("planted faults are told, each by what is off", () => {
  test.each<[string, (seed: number, epoch: number) => Uint32Array, string]>([
    [
      "the file's sequence, turned",
      (seed, epoch) => turned(upTo(N), 100 + 37 * seed + 211 * epoch),
      "most frequent step",
    ],
    [
      "a step that is the same all along",
      (seed, epoch) => upTo(N).map((at) => ((401 + 2 * seed) * at + epoch) % N),
      "most frequent step",
    ],
    ["each epoch the one before, turned", (seed, epoch) => turned(uniform(seed, 0), 211 * epoch), "epochs: shift"],
    [
      "the file's halves swapped",
      (seed, epoch) => joined(uniform(seed, epoch, upTo(HALF, HALF)), uniform(seed + 2, epoch, upTo(HALF))),
      "spread: first half",
    ],
    [
      "each epoch the one before with its halves swapped, and a little more shuffled",
      (seed, epoch) => {
        const swapped = turned(uniform(seed, 0), HALF * epoch);
        shuffle(swapped, random(seed, "order", epoch + 1), 0, HALF);
        return swapped;
      },
      "epochs: correlation",
    ],
    [
      "blocks shuffled, nothing within them",
      (seed, epoch) => blocksShuffled(seed, epoch, (block) => block),
      "neighbours i, i ± 1",
    ],
    [
      "blocks shuffled, and each of them",
      (seed, epoch) => blocksShuffled(seed, epoch, (block, at) => uniform(seed, 100 * epoch + at, block)),
      "neighbours i, i ± 1",
    ],
    ["a buffer of a tenth", (seed, epoch) => buffered(seed, epoch, N / 10), "spread: first half"],
    ["a buffer of a half", (seed, epoch) => buffered(seed, epoch, HALF), "spread: first half"],
    ["seed + epoch", (seed, epoch) => uniform(seed + epoch, 0), "equal sequences"],
    ["an epoch that changes nothing", (seed) => uniform(seed, 0), "equal sequences"],
    ["a seed that changes nothing", (_, epoch) => uniform(0, epoch), "equal sequences"],
    [
      "the same batches in another sequence, each shuffled",
      (seed, epoch) => {
        const batches = Array.from({ length: Math.floor(N / SIZE) }, (_, at) =>
          FIXED.slice(at * SIZE, (at + 1) * SIZE),
        );
        const sequence = uniform(seed, epoch, upTo(batches.length));
        const shuffledBatches = Array.from(sequence, (at) => uniform(seed, 100 * epoch + at, batches[at]));
        return joined(...shuffledBatches, FIXED.slice(batches.length * SIZE));
      },
      "epochs: batches",
    ],
    [
      "the same batches in every seed, shuffled",
      (seed, epoch) => {
        const drawn = uniform(0, epoch);
        for (let start = 0; start < N; start += SIZE) {
          shuffle(drawn, random(seed, "order", 100 * epoch + start), start, Math.min(N, start + SIZE));
        }
        return drawn;
      },
      "seeds: batches",
    ],
    [
      "one index kept in its place from epoch to epoch, for every tenth",
      (seed, epoch) => {
        const others = uniform(
          seed,
          epoch,
          upTo(N - N / 10).map((at) => at + Math.floor(at / 9) + 1),
        );
        return upTo(N).map((at) => (at % 10 === 0 ? at : others[at - Math.floor(at / 10) - 1]));
      },
      "epochs: same place",
    ],
    [
      "an index twice, another one never",
      (seed, epoch) => replaced(uniform(seed, epoch), 17, 400),
      "not each index once",
    ],
    ["an index missing", (seed, epoch) => uniform(seed, epoch).filter((index) => index !== 17), "not each index once"],
    ["an index too many", (seed, epoch) => joined(uniform(seed, epoch), [17]), "not each index once"],
  ])("%s", (_, rule, off) => {
    expect(offOf(rule)).toContain(off);
  });

  test("classes in equal shares in every batch are too even", () => {
    const labels = uniform(9, 9).map((value) => value % 4);
    const even = madeBy((seed, epoch) => {
      const classes = [0, 1, 2, 3].map((label) =>
        uniform(
          seed,
          4 * epoch + label,
          upTo(N).filter((index) => labels[index] === label),
        ),
      );
      const drawn = joined(...Array.from(upTo(N / 4), (at) => classes.map((members) => members[at])));
      for (let start = 0; start < N; start += SIZE) {
        shuffle(drawn, random(seed, "order", 100 * epoch + start), start, Math.min(N, start + SIZE));
      }
      return drawn;
    });
    const { off, tests } = judge({ ...even, labels });
    expect(off).toEqual(["spread: classes"]);
    expect(Number.parseFloat(tests[2].seen)).toBeLessThan(0.05);
  });
});

test("the shift of places that most indices have is named", () => {
  const { tests } = judge(madeBy((seed, epoch) => turned(uniform(seed, 0), 100 * epoch)));
  const shift = tests.find(({ name }) => name === "epochs: shift");
  expect(shift?.seen).toBe("1000 × +900");
});

describe("each index once", () => {
  test("says how many are missing or come again, and the first of them", () => {
    const twice = replaced(uniform(0, 0), 17, 400);
    const short = uniform(0, 1).filter((index) => index > 2);
    expect(judge(sequencesOf([[twice, short]])).notEachOnce).toEqual([
      "epoch 0 of seed 0: 1 of 1000 missing (first 17), 1 of 1000 drawn more than once (first 400)",
      "epoch 1 of seed 0: 3 of 1000 missing (first 0)",
    ]);
  });

  test("a part that is drawn uniformly is off by nothing else", () => {
    expect(offOf((seed, epoch) => uniform(seed, epoch).slice(0, 700))).toEqual(["not each index once"]);
  });
});

describe("equal sequences are found", () => {
  test("and looked at once: what is said of one is not said twice", () => {
    const rule = (seed: number, epoch: number) => uniform(seed + epoch, 0);
    const { off, tests } = judge(madeBy(rule));
    expect(off).toEqual(["equal sequences"]);
    const without = judge(sequencesOf([[rule(0, 0), rule(0, 1)], [rule(1, 1)]]));
    expect(tests.map(({ p }) => p)).toEqual(without.tests.map(({ p }) => p));
  });

  test("of any two seeds and epochs, whatever the shift, and turned ones", () => {
    const [a, b] = [uniform(0, 0), uniform(0, 1)];
    const sequences = sequencesOf([
      [a, b, uniform(0, 2)],
      [b, uniform(1, 1), turned(a, 10)],
    ]);
    expect(judge(sequences).equal).toEqual([
      "epoch 0 of seed 1 equals epoch 1 of seed 0",
      "epoch 2 of seed 1 equals epoch 0 of seed 0, turned by 990 places",
    ]);
  });

  test("not among a handful of indices, which may be equal by chance", () => {
    expect(judge(sequencesOf([[upTo(5), upTo(5)]], { n: 5 }))).toMatchObject({ equal: [], off: [], tests: [] });
  });
});

describe("what cannot be asked is said", () => {
  test("short epochs have no p-values", () => {
    const { skipped, tests } = judge(sequencesOf([[uniform(0, 0, upTo(99))]], { n: 99 }));
    expect({ skipped, tests }).toEqual({
      skipped: [{ name: "tests", why: "an epoch has fewer than 100 indices" }],
      tests: [],
    });
  });

  test("nor few batches, one epoch, one seed", () => {
    const { skipped, tests } = judge(sequencesOf([[uniform(0, 0)]], { size: 80 }));
    expect(tests.map(({ name }) => name)).toEqual(["neighbours i, i ± 1", "most frequent step"]);
    expect(skipped.map(({ name }) => name)).toEqual(["spread: odd indices", "spread: first half", "epochs", "seeds"]);
  });
});

test("neighbours are expected as often as they come in all permutations of five: 2 (n − 1) / n", () => {
  const all = permutationsOf([0, 1, 2, 3, 4]);
  const neighbours = all.reduce(
    (sum, values) => sum + values.slice(1).filter((value, at) => Math.abs(value - values[at]) === 1).length,
    0,
  );
  expect(neighbours / all.length).toBeCloseTo((2 * 4) / 5, 12);
  const { tests } = judge(sequencesOf([[uniform(0, 0, upTo(200))]], { n: 200 }));
  expect(tests.find(({ name }) => name.startsWith("neighbours"))?.usual).toBe("2.0 (0 … 5)");
});

function permutationsOf(values: readonly number[]): number[][] {
  if (values.length === 0) return [[]];
  return values.flatMap((value, at) => permutationsOf(values.toSpliced(at, 1)).map((rest) => [value, ...rest]));
}

test("many sequences are compared with those nearest to them, and one fault is found all the same", () => {
  const epochs = Array.from({ length: 40 }, (_, epoch) => uniform(3, epoch, upTo(200)));
  const clean = sequencesOf([epochs], { n: 200 });
  expect(judge(clean).off).toEqual([]);
  epochs[30] = turned(epochs[29], 50);
  shuffle(epochs[30], random(0, "order", 0), 0, 40);
  expect(judge(sequencesOf([epochs], { n: 200 })).off).toContain("epochs: shift");
});
