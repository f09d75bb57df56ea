import { describe, expect, test } from "vitest";
import { allocateMemory } from "../../../src/orders/context.js";
import { declaredBy } from "../../../src/orders/declared.js";
import { orderedBy } from "../../../src/orders/ordered.js";
import curriculum, { letIn } from "../../../src/orders/rules/curriculum.js";
import { chiSquare, chiSquareBounds } from "../../kernels/chi-square.js";
import { LABELS, resultOf } from "./run-order.js";

/** From the lowest: 2 5 7 0 10 8 4 9 1 6 3. */
const SCORES = Float32Array.of(0.5, 2, 0.1, 3, 1, 0.2, 2.5, 0.3, 0.9, 1.5, 0.7);

describe("the pacing functions, by the paper's table: N = 1,000, a = 0.5, b = 0.2", () => {
  const at = (pacing: Parameters<typeof letIn>[0]["pacing"], ...times: number[]) =>
    times.map((t) => letIn({ pacing, a: 0.5, b: 0.2 }, t, 1000));

  test.each([
    ["linear", [200, 400, 600, 1000, 1000]], // Nb + N (1 − b) t / (aT)
    ["quadratic", [200, 250, 400, 1000, 1000]], // … (t / (aT))²
    ["root", [200, 600, 765, 1000, 1000]], // … (t / (aT))^½: 765.68
    ["exp", [200, 200, 205, 1000, 1000]], // 200 + 800 (e^5 − 1) / (e^10 − 1) = 205.35
    ["log", [200, 889, 944, 1000, 1000]], // 200 + 800 (1 + ln(0.25 + e^−10) / 10) = 889.11; 944.55
    ["step", [200, 200, 200, 1000, 1000]],
  ] as const)("%s", (pacing, expected) => {
    expect(at(pacing, 0, 0.125, 0.25, 0.5, 0.9)).toEqual(expected);
  });

  test("at least one sample, at most all; a above 1 ends before all are let in", () => {
    expect(letIn({ pacing: "linear", a: 1, b: 0.001 }, 0, 10)).toBe(1);
    expect(letIn({ pacing: "linear", a: 2, b: 0.2 }, 0.999, 1000)).toBe(599);
    expect(letIn({ pacing: "log", a: 0.01, b: 1 }, 0, 10)).toBe(10);
    expect([1, 2, 3, 4, 5].map((count) => letIn({ pacing: "step", a: 1, b: count / 5 }, 0, 5))).toEqual([
      1, 2, 3, 4, 5,
    ]);
  });
});

describe("an epoch holds the first of the sequence once each", () => {
  const of = (options: Record<string, unknown>, epoch: number) =>
    [
      ...resultOf("curriculum", { options: { a: 0.5, b: 3 / 11, ...options }, scores: SCORES, epoch, epochs: 4 })
        .indices,
    ]
      .sort((a, b) => a - b)
      .join(" ");

  test.each([
    ["easy-first", ["2 5 7", "0 2 4 5 7 8 10"]],
    ["hard-first", ["1 3 6", "1 3 4 6 8 9 10"]],
  ])("%s, by hand: 3 of 11, then 7, then all", (sort, [first, second]) => {
    expect(of({ sort }, 0)).toBe(first);
    expect(of({ sort }, 1)).toBe(second);
    expect(of({ sort }, 2)).toBe("0 1 2 3 4 5 6 7 8 9 10");
    expect(of({ sort }, 3)).toBe("0 1 2 3 4 5 6 7 8 9 10");
  });

  test("random: pacing only, by no scores; what was let in stays", () => {
    const inputs = { options: { sort: "random", a: 0.5, b: 3 / 11 }, epochs: 4 };
    const firsts = new Map<number, number>();
    for (let seed = 0; seed < 2000; seed++) {
      const [first, second] = [0, 1].map((epoch) => [...resultOf("curriculum", { ...inputs, seed, epoch }).indices]);
      expect([first.length, second.length]).toEqual([3, 7]);
      expect(second).toEqual(expect.arrayContaining(first));
      for (const index of first) firsts.set(index, (firsts.get(index) ?? 0) + 1);
    }
    expect(firsts.size).toBe(11);
    expect(chiSquare(firsts.values())).toBeLessThan(chiSquareBounds(10).high);
  });

  test("chance breaks ties, and samples of unknown loss come last", () => {
    const scores = Float32Array.from(SCORES, (_, index) => (index < 3 ? Number.NaN : 1));
    const firsts = new Set<number>();
    for (let seed = 0; seed < 200; seed++) {
      const { indices } = resultOf("curriculum", { options: { b: 1 / 11 }, scores, seed });
      firsts.add(indices[0]);
    }
    expect([...firsts].sort((a, b) => a - b)).toEqual([3, 4, 5, 6, 7, 8, 9, 10]);
  });
});

test("per: batch looks at the scores once, and keeps the sequence", () => {
  const options = curriculum.options.parse({ per: "batch", a: 1, b: 3 / 11 });
  let reads = 0;
  const scores = new Proxy(SCORES, {
    get: (values, at) => {
      reads += 1;
      return Reflect.get(values, at);
    },
  });
  const inputs = { options, seed: 0, epoch: 0, epochs: 2, labels: LABELS, classCount: 3, size: 2, scores };
  const memory = allocateMemory(curriculum.memory ?? {}, 11);
  const ordered = orderedBy(curriculum, declaredBy(curriculum, options), { ...inputs, memory });
  expect(ordered).toHaveProperty("result");
  expect(reads).toBe(11);
});

test("per: batch draws each batch from what is let in by then; an epoch is as long as any", () => {
  const options = curriculum.options.parse({ per: "batch", a: 1, b: 3 / 11 });
  const inputs = { options, seed: 0, labels: LABELS, classCount: 3, size: 2, scores: SCORES, epochs: 2 };
  const memory = () => allocateMemory(curriculum.memory ?? {}, 11);
  const sequence = [2, 5, 7, 0, 10, 8, 4, 9, 1, 6, 3];
  const drawn = new Set<number>();
  for (let seed = 0; seed < 100; seed++) {
    const ordered = orderedBy(curriculum, declaredBy(curriculum, options), {
      ...inputs,
      memory: memory(),
      seed,
      epoch: 0,
    });
    if ("fault" in ordered) throw new Error(ordered.fault.seen);
    const { indices, offsets } = ordered.result;
    expect([...offsets]).toEqual([0, 2, 4, 6, 8, 10, 11]);
    for (let batch = 0; batch < 6; batch++) {
      const members = [...indices.subarray(offsets[batch], offsets[batch + 1])];
      expect(new Set(members).size).toBe(members.length);
      const among = letIn(options, offsets[batch] / 11 / 2, 11);
      for (const index of members) expect(sequence.indexOf(index)).toBeLessThan(among);
      if (batch === 5) for (const index of members) drawn.add(sequence.indexOf(index));
    }
  }
  expect([...drawn].sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5]); // 3 + 8 · 10 / 22 = 6.6 of 11
});
