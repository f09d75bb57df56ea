// Commands that work in one directory at a time: who takes which runs, what each is made beside, and what is told.
import { existsSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { Pretence } from "./fake-backend.js";
import { Scene, type SceneOptions } from "./scene.js";

/** Starts a second command in the scene once the first one has begun its first run, and waits for both. */
async function besideFirst(scene: Scene, second: () => Promise<unknown>, first: SceneOptions = {}) {
  let other: Promise<unknown> | undefined;
  const begun = async ({ type }: { readonly type: string }) => {
    if (type === "train") await (other ??= second());
  };
  const one = await scene.run({ ...first, pretence: { ...first.pretence, before: begun } });
  return { one, two: await other };
}

const noting = (lines: string[]) => ({ noted: (line: string) => void lines.push(line) });

const bytesOf = (scene: Scene) =>
  Object.fromEntries(
    ["frozen", "shuffled"]
      .flatMap((arm) => scene.files(arm))
      .filter((file) => !/run\.json|timings\.jsonl|SHA256SUMS/.test(file))
      .map((file) => [file, scene.bytes(file).toString("latin1")]),
  );

test("the same command a second time is refused, for nothing is left to take; the first one goes on", async () => {
  const scene = new Scene();
  const { one, two } = await besideFirst(scene, () => scene.run());
  expect(two).toMatchObject({
    error: {
      kind: "usage",
      message: expect.stringMatching(/is in use by process \d+ on .*, with all 4 runs that are left to do: wait until/),
    },
  });
  expect(one.results.map(({ state }) => state)).toEqual(["done", "done", "done", "done"]);
});

test("of a command that asks for more, what is held is left to the other, and told", async () => {
  const scene = new Scene();
  const lines: string[] = [];
  const more = () => scene.run({ settings: ["seeds=3"], observer: noting(lines) });
  const { one, two } = await besideFirst(scene, more);
  expect(two).toMatchObject({ error: undefined, results: [{ seed: 2 }, { seed: 2 }] });
  expect(lines).toContainEqual(expect.stringMatching(/^4 runs are left to process \d+ on .*: frozen, seed 0; /));
  expect(one.error).toBeUndefined();
  const { config } = JSON.parse(readFileSync(`${scene.directory}/experiment.json`, "utf8"));
  expect(config.seeds, "of both").toEqual([0, 1, 2]);
});

describe("shards in one directory", () => {
  test("one beside the other give the bits of one command", async () => {
    const alone = new Scene();
    await alone.run();
    const scene = new Scene();
    const shard = (index: number) => ({ shard: { index, count: 2 } });
    const { one, two } = await besideFirst(scene, () => scene.run(shard(1)), shard(0));
    expect([one.error, Object(two).error]).toEqual([undefined, undefined]);
    expect(one.results.map(({ arm, seed }) => `${arm} ${seed}`)).toEqual(["frozen 0", "shuffled 0"]);
    expect(bytesOf(scene)).toEqual(bytesOf(alone));
    expect(scene.files().filter((file) => /lock|partial/.test(file))).toEqual([]);
  });

  test("in other surroundings than the other one: nothing is made beside what is under way", async () => {
    const scene = new Scene();
    const elsewhere: Pretence = { opened: { threads: 7 } };
    const { one, two } = await besideFirst(
      scene,
      () => scene.run({ shard: { index: 1, count: 2 }, pretence: elsewhere }),
      { shard: { index: 0, count: 2 } },
    );
    expect(two).toMatchObject({
      error: {
        kind: "usage",
        message: expect.stringMatching(/was made in surroundings that give other bits \(threads/),
      },
    });
    expect(one.error).toBeUndefined();
    expect(existsSync(`${scene.directory}/frozen/seed-1`)).toBe(false);
  });

  test("an arm with other settings than one that is begun under its name is refused", async () => {
    const scene = new Scene();
    const settings = ["arms.frozen.batching.size=4"];
    const { two } = await besideFirst(scene, () => scene.run({ shard: { index: 1, count: 2 }, settings }), {
      shard: { index: 0, count: 2 },
    });
    expect(two).toMatchObject({
      error: { kind: "usage", message: expect.stringMatching(/frozen with other settings/) },
    });
  });

  test("with a tuning tune their own arms, and know the rates of the others", async () => {
    const settings = ["tune={ learningRate: [0.05, 0.1], seeds: 1 }", "dataset={ name: digits, validation: 4 }"];
    const alone = new Scene();
    await alone.run({ settings });
    const scene = new Scene();
    for (const index of [1, 0]) {
      const { error } = await scene.run({ settings, shard: { index, count: 2 } });
      expect(error).toBeUndefined();
    }
    const tuning = (of: Scene) => JSON.parse(of.text("tuning.json"));
    expect(tuning(scene)).toEqual(tuning(alone));
    expect(bytesOf(scene)).toEqual(bytesOf(alone));
  });
});
