import { expect, test } from "vitest";
import { isApart, isWithin } from "../../src/record/made-by.js";
import { Scene } from "./scene.js";

const HALVES = "arms={a: {order: shuffled, dataset: {part: a}}, b: {order: shuffled, dataset: {part: b}}}";

test("two arms share out the samples; the last model scores all of them, whatever it was trained on", async () => {
  const scene = new Scene();
  const { client } = await scene.run({
    settings: [HALVES, "seeds=1", "record.scoreAll=true"],
    pretence: { scoredLoss: (index, step) => index + step / 100 },
  });
  const drawn = (arm: string, epoch: number) => scene.words(`${arm}/seed-0/orders/000${epoch}.u32`);
  for (const epoch of [0, 1, 2]) {
    const all = [...drawn("a", epoch), ...drawn("b", epoch)].sort((one, other) => one - other);
    expect(all).toEqual(Array.from({ length: 24 }, (_, index) => index));
  }
  expect(new Set(drawn("a", 0))).toEqual(new Set(drawn("a", 2)));
  expect(client.sentOf("score").map(({ arrays }) => arrays.indices.length)).toEqual([24, 24]);
  const steps = 9; // 12 samples in batches of 5 are 3 an epoch
  const expected = Float32Array.from({ length: 24 }, (_, index) => index + steps / 100);
  expect(scene.floats("a/seed-0/final-losses.f32")).toEqual([...expected]);
  expect(scene.text("a/seed-0/SHA256SUMS")).toContain("final-losses.f32");
});

test("without being asked for, nothing is scored; and a half is what the arm's hash is of", async () => {
  const scene = new Scene();
  const { client } = await scene.run({ settings: [HALVES, "seeds=1"] });
  expect(client.sentOf("score")).toEqual([]);
  expect(scene.has("a/seed-0/final-losses.f32")).toBe(false);
  expect(scene.document("a", 0).configHash).not.toBe(scene.document("b", 0).configHash);
});

test("parts that lie within another, or apart from it", () => {
  const whole = { subset: null, subsetSeed: 0, validation: 10 };
  const [a, b] = (["a", "b"] as const).map((part) => ({ ...whole, part }));
  expect([isWithin(a, whole), isWithin(whole, a), isWithin(a, b), isWithin({ ...a, subset: 5 }, a)]).toEqual([
    ...[true, false, false, true],
  ]);
  expect([isApart(a, b), isApart(a, a), isApart(a, whole), isApart(a, { ...b, validation: 9 })]).toEqual([
    ...[true, false, false, false],
  ]);
  expect(isApart({ ...a, subset: 5 }, { ...b, subset: 7 })).toBe(true);
});
