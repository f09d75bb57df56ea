// Runs that train on what another run recorded.
import { cpSync, mkdtempSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { armHash } from "../../src/config/config.js";
import { CONFIG, resolved, Scene } from "../experiment/scene.js";
import { orderModule } from "./own-order.js";

/** Half of the samples with weights and batches of their own, others in each epoch and seed: 5, 4 and 3 of 12. */
const HALF = orderModule(`name: "half", coverage: () => "at-most-once", changesObjective: () => true,
  order: ({ eligible, epoch, random }) => {
    const numbers = random("order");
    const indices = eligible.filter((index) => index % 2 === epoch % 2);
    for (let last = 11; last > 0; last--) {
      const other = numbers.below(last + 1);
      [indices[last], indices[other]] = [indices[other], indices[last]];
    }
    const weights = Float32Array.from(indices, (index) => 0.1 * (1 + index));
    return { indices, weights, offsets: Uint32Array.of(0, 5, 9, 12) };
  },`);

const kept = mkdtempSync(join(tmpdir(), "ibatch-test-"));
afterAll(() => rmSync(kept, { recursive: true }));
const made = new Map<string, string>();

/** A run of arm `half` with two seeds, made once with each settings; `replay` runs others on it. */
async function recorded(settings: readonly string[] = []) {
  const source = new Scene();
  const place = dirname(source.directory);
  const name = settings.join();
  const before = made.get(name);
  if (before !== undefined) cpSync(before, place, { recursive: true });
  else {
    source.write("half.mjs", HALF);
    await source.run({ settings: ["arms={half: {order: ./half.mjs}}", ...settings] });
    const copy = join(kept, `${made.size}`);
    cpSync(place, copy, { recursive: true });
    made.set(name, copy);
  }
  const replay = async (order: string, more: readonly string[] = []) => {
    const scene = new Scene();
    const ran = await scene.run({ settings: [`arms={again: {order: ${order}}}`, "model=resnet18", ...more] });
    return { scene, ...ran };
  };
  return { source, replay, arm: join(source.directory, "half"), run: join(source.directory, "half", "seed-0") };
}

const epochs = [0, 1, 2];
const indicesOf = (scene: Scene, run: string, epoch: number) => [
  ...new Uint32Array(Uint8Array.from(scene.bytes(`${run}/orders/000${epoch}.u32`)).buffer),
];
const weightsOf = (scene: Scene, run: string, epoch: number) => scene.floats(`${run}/orders/000${epoch}.weights.f32`);
const planOf = (scene: Scene, run: string, epoch: number) => JSON.parse(scene.text(`${run}/orders/000${epoch}.json`));

describe("with samples exchanged", () => {
  test.each(["samples", "within-class"])(
    "%s: drawn as often at the same steps, others of each seed",
    async (exchange) => {
      const { source, replay, run } = await recorded();
      const { scene } = await replay(`{replay: ${run}, exchange: ${exchange}}`);
      const drawn = (from: Scene, of: string) => epochs.flatMap((epoch) => indicesOf(from, of, epoch));
      const before = drawn(source, "half/seed-0");
      const [first, second] = [0, 1].map((seed) => drawn(scene, `again/seed-${seed}`));
      const firstPlaces = (samples: readonly number[]) => samples.map((sample) => samples.indexOf(sample));
      expect(firstPlaces(first)).toEqual(firstPlaces(before));
      expect(first).not.toEqual(before);
      expect(second).not.toEqual(first);
      expect(weightsOf(scene, "again/seed-0", 1)).toEqual(weightsOf(source, "half/seed-0", 1));
      expect(planOf(scene, "again/seed-0", 1).offsets).toEqual([0, 5, 9, 12]);
      const classes = (samples: readonly number[]) => samples.map((sample) => sample % 3);
      if (exchange === "within-class") expect(classes(first)).toEqual(classes(before));
      else expect(classes(first)).not.toEqual(classes(before));
    },
  );

  test("of an arm with orders of one seed: each seed's own run, exchanged alike", async () => {
    const { source, replay, arm } = await recorded();
    const { scene } = await replay(`{replay: ${arm}, exchange: samples}`, ["seeds={count: 2, order: 7}"]);
    const exchanges = [0, 1].map((seed) => {
      const drawn = (from: Scene, of: string) =>
        epochs.flatMap((epoch) => indicesOf(from, `${of}/seed-${seed}`, epoch));
      const [before, after] = [drawn(source, "half"), drawn(scene, "again")];
      return [...Array(24).keys()].map((sample) => after[before.indexOf(sample)]);
    });
    expect(new Set(exchanges[0]).size).toBe(24);
    expect(exchanges[1]).toEqual(exchanges[0]);
  });
});

describe("replay", () => {
  test("of a run's directory: its indices, batches and weights to the bit, for every seed, whatever the batching rule", async () => {
    const { source, replay, run } = await recorded();
    const { scene, client, results } = await replay(`{replay: ${run}}`, ["batching.size=24"]);
    expect(results.map(({ state }) => state)).toEqual(["done", "done"]);
    for (const seed of [0, 1]) {
      for (const epoch of epochs) {
        const file = (ending: string) =>
          [`half/seed-0/orders/000${epoch}`, `again/seed-${seed}/orders/000${epoch}`].map(
            (path) => `${path}.${ending}`,
          );
        const [u32, ours] = file("u32");
        expect(scene.bytes(ours).equals(source.bytes(u32))).toBe(true);
        const [f32, oursToo] = file("weights.f32");
        expect(scene.bytes(oursToo).equals(source.bytes(f32))).toBe(true);
        const { offsets, planSha256 } = planOf(source, "half/seed-0", epoch);
        expect(planOf(scene, `again/seed-${seed}`, epoch)).toMatchObject({ offsets, planSha256 });
      }
    }
    const sent = client.sentOf("train").filter(({ fields }) => fields.session === "s2");
    expect(sent.flatMap(({ arrays }) => [...arrays.indices])).toEqual(
      epochs.flatMap((epoch) => indicesOf(source, "half/seed-0", epoch)),
    );
  });

  test("of an arm's directory: each seed takes the run of the same seed", async () => {
    const { source, replay, arm } = await recorded();
    const { scene } = await replay(`{replay: ${arm}}`, ["seeds=[1, 0]"]);
    for (const seed of [0, 1]) {
      for (const epoch of epochs) {
        expect(indicesOf(scene, `again/seed-${seed}`, epoch)).toEqual(indicesOf(source, `half/seed-${seed}`, epoch));
      }
    }
    expect(indicesOf(scene, "again/seed-0", 0)).not.toEqual(indicesOf(scene, "again/seed-1", 0));
  });

  test.each([0, 7])(
    "of an arm's directory with orders of one seed (%i): the same, for that seed draws nothing",
    async (order) => {
      const { source, replay, arm } = await recorded();
      const { scene, results } = await replay(`{replay: ${arm}}`, [`seeds={count: 2, order: ${order}}`]);
      expect(results.map(({ state, error }) => [state, error])).toEqual(Array(2).fill(["done", undefined]));
      for (const seed of [0, 1]) {
        const drawn = (from: Scene, of: string) => epochs.map((epoch) => indicesOf(from, `${of}/seed-${seed}`, epoch));
        expect(drawn(scene, "again")).toEqual(drawn(source, "half"));
      }
      const hash = (seed: number) => scene.document("again", seed).replayedSha256;
      expect(hash(0)).not.toBe(hash(1));
    },
  );

  test("of fewer epochs than are there takes the first ones", async () => {
    const { replay, run } = await recorded();
    expect((await replay(`{replay: ${run}}`, ["epochs=2"])).results[0]).toMatchObject({ state: "done" });
  });

  test("of an arm with another objective has it, too", async () => {
    const { run } = await recorded();
    const { arms } = await resolved(CONFIG.replace("order: frozen", `order: { replay: ${run} }`));
    expect(arms.frozen.order).toMatchObject({ name: "replay", changesObjective: true });
    expect(arms.shuffled.order.changesObjective).toBe(false);
  });
});

describe("shuffleWithin: epoch", () => {
  test("keeps each epoch's samples, each with its weight, and the sizes of the batches, and loses the sequence", async () => {
    const { source, replay, run } = await recorded();
    const { scene } = await replay(`{replay: ${run}, shuffleWithin: epoch}`);
    const pairs = (from: Scene, name: string, epoch: number) => {
      const weights = weightsOf(from, name, epoch);
      return indicesOf(from, name, epoch).map((index, at) => `${index} ${weights[at]}`);
    };
    for (const epoch of epochs) {
      const before = pairs(source, "half/seed-0", epoch);
      const [first, second] = [0, 1].map((seed) => pairs(scene, `again/seed-${seed}`, epoch));
      expect(first.toSorted()).toEqual(before.toSorted());
      expect(first).not.toEqual(before);
      expect(first, "another sequence for another seed").not.toEqual(second);
      expect(planOf(scene, "again/seed-0", epoch).offsets).toEqual([0, 5, 9, 12]);
    }
    const places = (epoch: number) =>
      indicesOf(scene, "again/seed-0", epoch).map((index) => indicesOf(source, "half/seed-0", epoch).indexOf(index));
    expect(places(0), "and another one for another epoch").not.toEqual(places(2));
  });
});

describe("what cannot be replayed names the place in the config", () => {
  const text = (order: string, more = "") =>
    `${CONFIG.slice(0, CONFIG.indexOf("arms:"))}arms:\n  again: { order: ${order} }\n${more}`;
  const refused = (config: string, message: string) =>
    expect(resolved(config)).rejects.toMatchObject({ kind: "usage", message });

  test("no such directory", async () => {
    await refused(
      text("{ replay: /nowhere/at/all }"),
      "x.yaml:12: arms.again.order: there is no directory /nowhere/at/all",
    );
  });

  test("a directory that holds no run of a seed", async () => {
    const { arm, source } = await recorded();
    const expected = (directory: string, seed: number) =>
      `x.yaml:12: arms.again.order.replay: ${directory} holds no recorded run; expected the directory of a run ` +
      `(<arm>/seed-<n>), or of an arm with a run of seed ${seed}`;
    await refused(text(`{ replay: ${arm} }`).replace("seeds: 2", "seeds: 3"), expected(join(arm, "seed-2"), 2));
    await refused(text(`{ replay: ${source.directory} }`), expected(join(source.directory, "seed-0"), 0));
  });

  test("fewer epochs than are wanted: told where the arm that wants them is", async () => {
    const { run } = await recorded();
    await refused(
      text(`{ replay: ${run} }`, `  more: { order: { replay: ${run} }, epochs: 4 }\n`),
      `x.yaml:13: arms.more.order.replay: ${run} has the orders of 3 epochs, 4 are wanted: lower epochs`,
    );
  });

  test.each([
    ["subset=12", { subset: 6 }, "{ subset: 12 }, this arm trains on { subset: 6 }"],
    ["subset=null", { subset: 6 }, "{ subset: null }, this arm trains on { subset: 6 }"],
    ["subset=12", { validation: 3 }, "{ subset: 12 }, this arm trains on { subset: null, validation: 3 }"],
  ])("a run on samples that are not trained on here: dataset.%s under %j", async (setting, part, says) => {
    const { run } = await recorded([`dataset.${setting}`, "arms={half: {order: shuffled}}"]);
    await refused(
      text(`{ replay: ${run} }`, `  more: { order: frozen }\n`).replace(
        "dataset: digits",
        `dataset: ${JSON.stringify({ name: "digits", ...part })}`,
      ),
      `x.yaml:12: arms.again.order.replay: ${run} was trained on dataset: ${says}, which lacks samples of it: say the ` +
        "same, or replay a run of this part",
    );
  });

  test.each(["[1]", "{ count: [1], order: 0 }"])("a run whose seed drew another subset: seeds %s", async (seeds) => {
    const { arm, run } = await recorded([
      "dataset.subset=12",
      "dataset.subsetSeed=run",
      "arms={half: {order: shuffled}}",
    ]);
    const own = "dataset: { name: digits, subset: 12, subsetSeed: run }";
    const config = text(`{ replay: ${run} }`).replace("dataset: digits", own);
    await refused(
      config.replace("seeds: 2", `seeds: ${seeds}`),
      `x.yaml:12: arms.again.order.replay: ${run} was trained on dataset: { subset: 12 }, this arm trains on ` +
        "{ subset: 12 by seed 1 }, which lacks samples of it: say the same, or replay a run of this part",
    );
    for (const same of ["seeds: [0]", "seeds: { count: [0], model: 5 }"]) {
      const { arms } = await resolved(config.replace("seeds: 2", same));
      expect(arms.again.order.name).toBe("replay");
    }
    const whole = text(`{ replay: ${arm} }`).replace("dataset: digits", own);
    for (const each of ["seeds: 2", "seeds: { count: 2, order: 0 }"]) {
      const { arms } = await resolved(whole.replace("seeds: 2", each));
      expect(arms.again.order.name).toBe("replay");
    }
  });

  test("a run of a part is replayed where all of the part is trained on", async () => {
    const { run } = await recorded(["dataset.subset=12", "dataset.validation=3", "arms={half: {order: shuffled}}"]);
    for (const part of ["{ name: digits }", "{ name: digits, validation: 3 }"]) {
      const { arms } = await resolved(text(`{ replay: ${run} }`).replace("dataset: digits", `dataset: ${part}`));
      expect(arms.again.order.name).toBe("replay");
    }
  });

  test("a run that kept the hashes alone", async () => {
    const { run } = await recorded(["record.orders=hash"]);
    await refused(
      text(`{ replay: ${run} }`),
      `x.yaml:12: arms.again.order.replay: ${run} kept no orders, only their hashes (record.orders: hash)`,
    );
  });

  test("an option that there is not", async () => {
    const { run } = await recorded();
    await refused(
      text(`{ replay: ${run}, shuffleWithn: epoch }`),
      "x.yaml:12: arms.again.order.shuffleWithn: unknown key; did you mean `shuffleWithin`?",
    );
  });
});

describe("a run that is damaged, unfinished or of other data", () => {
  const refusal = async (order: string, settings: readonly string[] = ["seeds=1"]) => {
    const scene = new Scene();
    const said = [`arms={again: {order: ${order}}}`, "model=resnet18", ...settings];
    return { error: await scene.run({ settings: said }).catch((error: unknown) => error), exists: scene.has("") };
  };

  test.each([
    [
      "orders/0001.u32",
      /orders\/0001\.u32 is damaged \(it is not what the run recorded: SHA-256 [0-9a-f]{64}, SHA256SUMS has [0-9a-f]{64}\): take another run/,
    ],
    ["orders/0001.weights.f32", /orders\/0001\.weights\.f32 is damaged \(it is not what the run recorded: /],
  ])("one bit of %s that has changed is found before anything is trained", async (file, message) => {
    const { source, run } = await recorded();
    const bytes = source.bytes(`half/seed-0/${file}`);
    bytes[9] ^= 1;
    writeFileSync(join(run, file), bytes);
    const { error, exists } = await refusal(`{replay: ${run}}`);
    expect(error).toMatchObject({ kind: "usage", message: expect.stringMatching(message) });
    expect(exists).toBe(false);
    expect(
      (await refusal(`{replay: ${run}}`, ["seeds=1", "epochs=1"])).error,
      "those of other epochs do no harm",
    ).toEqual(expect.objectContaining({ error: undefined }));
  });

  test("what lies in the place of the run, or of its run.json, is named", async () => {
    const { run, arm } = await recorded();
    renameSync(run, join(arm, "aside"));
    writeFileSync(run, "mine");
    const message = `${run} is a file, where a directory belongs: move it`;
    for (const directory of [run, arm]) {
      expect((await refusal(`{replay: ${directory}}`)).error).toMatchObject({
        kind: "usage",
        message: expect.stringContaining(message),
      });
    }
    rmSync(run);
    renameSync(join(arm, "aside"), run);
    rmSync(join(run, "run.json"));
    symlinkSync("/nowhere/at/all", join(run, "run.json"));
    expect((await refusal(`{replay: ${arm}}`)).error).toMatchObject({
      message: expect.stringContaining(
        `${run}/run.json is damaged (it is a link that leads nowhere): take another run`,
      ),
    });
  });

  test("a run under way has the orders that it has so far", async () => {
    const { source, run } = await recorded();
    rmSync(join(run, "SHA256SUMS"));
    rmSync(join(run, "orders", "0002.json"));
    const { checksums: _, ...document } = JSON.parse(source.text("half/seed-0/run.json"));
    writeFileSync(join(run, "run.json"), JSON.stringify({ ...document, state: "running" }));
    expect((await refusal(`{replay: ${run}}`)).error).toMatchObject({
      kind: "usage",
      message: expect.stringContaining(
        `${run} has the orders of 2 epochs so far, 3 are wanted: let it come to its end (it is running), or lower epochs`,
      ),
    });
  });

  test("of the same dataset with other data: refused before anything is trained or recorded, naming both hashes", async () => {
    const { run } = await recorded();
    const scene = new Scene();
    const { error, client } = await scene.run({
      settings: [`arms={again: {order: {replay: ${run}}}}`],
      pretence: { opened: { dataSha256: "b".repeat(64) } },
    });
    expect(error).toMatchObject({
      kind: "usage",
      message: expect.stringContaining(
        `${run} was trained on other data (SHA-256 dddddddd, now bbbbbbbb): name the data it was made with by --data`,
      ),
    });
    expect(client.sentOf("train")).toEqual([]);
    expect(scene.has("again")).toBe(false);
  });
});

test("an order that is damaged while it is replayed fails the run in that epoch", async () => {
  const { source, run } = await recorded();
  const scene = new Scene();
  const file = join(run, "orders", "0001.u32");
  const { results } = await scene.run({
    settings: [`arms={again: {order: {replay: ${run}}}}`, "seeds=1"],
    observer: { runStarted: () => writeFileSync(file, source.bytes("half/seed-0/orders/0001.u32").fill(0)) },
  });
  expect(results).toMatchObject([{ state: "failed" }]);
  expect(results[0].error).toMatch(/^order replay in epoch 2 failed: .*orders\/0001\.u32 is damaged \(/);
  expect(scene.has("again/seed-0/orders/0001.json")).toBe(false);
});

describe("the arm's hash", () => {
  const hashOf = async (directory: string, seeds = "2") => {
    const text = CONFIG.replace("order: frozen", `order: { replay: ${directory} }`).replace(
      "seeds: 2",
      `seeds: ${seeds}`,
    );
    const { arms, evaluation } = await resolved(text);
    return armHash(arms.frozen, evaluation);
  };
  /** Runs the recorded arm again, in the same place, with these settings. */
  const runAgain = async (source: Scene, settings: readonly string[]) => {
    rmSync(source.directory, { recursive: true });
    await source.run({ settings: ["arms={half: {order: ./half.mjs}}", ...settings] });
  };

  test("of a replayed run is of its plans: other orders, another hash; the same made again, the same", async () => {
    const { source, run } = await recorded();
    const first = await hashOf(run);
    expect(await hashOf(run, "[7]"), "whatever the seeds").toBe(first);
    await runAgain(source, []);
    expect(await hashOf(run)).toBe(first);
    source.write("half.mjs", HALF.replace("epoch % 2)", "(epoch + 1) % 2)"));
    await runAgain(source, []);
    expect(await hashOf(run)).not.toBe(first);
  });

  test("of a replayed arm says nothing of its plans: run.json does, and other ones are refused", async () => {
    const { arm } = await recorded();
    const scene = new Scene();
    const settings = [`arms={again: {order: {replay: ${arm}}}}`, "model=resnet18"];
    await scene.run({ settings });
    const [first, second] = [0, 1].map((seed) => scene.document("again", seed).replayedSha256);
    expect(first).toMatch(/^[0-9a-f]{64}$/);
    expect(first).not.toBe(second);
    expect((await scene.run({ settings })).error).toBeUndefined();
    exchangeOrders(join(arm, "seed-0"), join(arm, "seed-1"));
    const { error, client } = await scene.run({ settings });
    expect(client.sent).toEqual([]);
    expect(error).toMatchObject({
      kind: "usage",
      message: expect.stringContaining("again/seed-0 replayed other plans than are on record now"),
    });
  });

  test("of a replayed arm is of its config, so that seeds can be added", async () => {
    const { source, arm } = await recorded();
    const first = await hashOf(arm);
    expect(await hashOf(arm, "1")).toBe(first);
    await runAgain(source, ["optimizer.momentum=0.5"]);
    expect(await hashOf(arm)).not.toBe(first);
  });
});

/** Of two runs of one config, recorded before there were checksums. */
function exchangeOrders(one: string, other: string): void {
  for (const run of [one, other]) {
    rmSync(join(run, "SHA256SUMS"));
    const { checksums: _, ...document } = JSON.parse(readFileSync(join(run, "run.json"), "utf8"));
    writeFileSync(join(run, "run.json"), JSON.stringify(document));
  }
  renameSync(join(one, "orders"), join(one, "aside"));
  renameSync(join(other, "orders"), join(one, "orders"));
  renameSync(join(one, "aside"), join(other, "orders"));
}
