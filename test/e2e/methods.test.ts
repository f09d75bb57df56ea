import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readDataset } from "../../src/record/dataset-record.js";
import { readOrder } from "../../src/record/recorded-orders.js";
import { NOT_SEEN, predictionsOf, readSignal } from "../../src/record/recorded-signals.js";
import { RunFiles } from "../../src/record/verified-files.js";
import { ibatch, Scratch, smallConfig } from "./ibatch.js";

/** The field's methods that read earlier runs, on real digits, through the built command and a real backend. */

const scratch = new Scratch();
afterAll(() => scratch.remove());

const EPOCHS = 3;
const config = (arms: string, more = "") =>
  `${smallConfig.slice(0, smallConfig.indexOf("arms:")).replace("epochs: 2", `epochs: ${EPOCHS}`)}${more}arms:\n${arms}`;

async function run(name: string, text: string, ...args: string[]): Promise<string> {
  const directory = scratch.path(name, "out");
  const path = scratch.write(join(name, "x.yaml"), text);
  const ended = await ibatch(["run", path, "--quiet", "--out", directory, ...args]);
  expect(ended).toMatchObject({ code: 0, stderr: "" });
  return directory;
}

let source = "";
beforeAll(async () => {
  source = await run(
    "source",
    config("  plain: { order: shuffled }\n", "record: { extraSignals: [el2n] }\n"),
    "--seeds",
    "2",
  );
});
const recordedRun = (seed: number) => join(source, "plain", `seed-${seed}`);
const epochs = Array.from({ length: EPOCHS }, (_, epoch) => epoch);

/** The samples of the highest or the lowest of these values, ascending; NaN is in neither. */
function extremes(values: Float32Array, count: number, sign: 1 | -1): number[] {
  const known = [...values.keys()].filter((index) => !Number.isNaN(values[index]));
  const sorted = known.sort((a, b) => sign * (values[b] - values[a]));
  return sorted.slice(0, count).sort((a, b) => a - b);
}

const drawnIn = (directory: string, epoch: number) => [...readOrder(directory, epoch).indices].sort((a, b) => a - b);

describe("scores of earlier runs, each of the other seed", () => {
  let directory = "";
  beforeAll(async () => {
    const from = join(source, "plain");
    const arms = `  el2n: { order: { name: el2n-subset, from: ${from}, epoch: 1, fraction: 0.4 } }
  forgetting: { order: { name: forgetting-subset, from: ${from}, fraction: 0.3 } }
  curriculum: { order: { name: curriculum, from: ${from}, epoch: 2, b: 0.4, a: 0.5 } }
  pacing: { order: { name: curriculum, sort: random, b: 0.4, a: 0.5 } }
`;
    directory = await run("scored", config(arms), "--seeds", "2");
  });

  it("el2n-subset trains on the 126 of 315 with the highest EL2N, in every epoch", () => {
    for (const seed of [0, 1]) {
      const expected = extremes(readSignal(recordedRun(1 - seed), "el2n", 1), 126, 1);
      for (const epoch of epochs) expect(drawnIn(join(directory, "el2n", `seed-${seed}`), epoch)).toEqual(expected);
    }
  });

  it("forgetting-subset trains on none that was forgotten less often than one that is left out", () => {
    const { surroundings } = JSON.parse(readFileSync(join(recordedRun(1), "run.json"), "utf8"));
    const dataset = readDataset(source, surroundings.dataSha256);
    const labels = dataset?.labels ?? new Uint32Array();
    const predictions = epochs.map((epoch) =>
      predictionsOf(new RunFiles(recordedRun(1)), epoch, { count: labels.length, classes: 10 }),
    );
    const trainedOn = [...labels.keys()].filter((index) => predictions[0]?.[index] !== NOT_SEEN);
    expect(trainedOn.length).toBe(315);
    const events = (index: number) => {
      const visits = predictions.map((classes) => classes?.[index] === labels[index]);
      if (!visits.includes(true)) return EPOCHS;
      return visits.filter((isRight, epoch) => epoch > 0 && visits[epoch - 1] && !isRight).length;
    };
    const kept = new Set(drawnIn(join(directory, "forgetting", "seed-0"), 0));
    expect(kept.size).toBe(Math.round(0.3 * 315));
    const least = Math.min(...[...kept].map(events));
    const most = Math.max(...trainedOn.filter((index) => !kept.has(index)).map(events));
    expect(most).toBeLessThanOrEqual(least);
    expect(Math.max(...[...kept].map(events)), "and some were forgotten").toBeGreaterThan(0);
  });

  it("curriculum begins with the easiest, pacing alone with any, and both let in as many", () => {
    const sizes = [126, 252, 315]; // t = 0, 1/3, 2/3 of a run that lets all in from 0.5 on
    for (const [epoch, size] of sizes.entries()) {
      const easiest = extremes(readSignal(recordedRun(0), "loss", 2), size, -1);
      expect(drawnIn(join(directory, "curriculum", "seed-1"), epoch)).toEqual(easiest);
      const any = drawnIn(join(directory, "pacing", "seed-1"), epoch);
      expect(any.length).toBe(size);
      if (epoch === 0) expect(any).not.toEqual(easiest);
    }
  });
});

describe("rho-loss, as docs/ORDERS.md has it", () => {
  it("trains on the half that its source never saw, a third of it an epoch, each sample once", async () => {
    const half = (part: string, text: string) => text.replace("subset: 315", `part: ${part}, subset: 150`);
    const seen = await run(
      "half-a",
      half("a", config("  plain: { order: shuffled }\n", "record: { scoreAll: true }\n")),
    );
    const order = `{ name: rho-loss, from: ${join(seen, "plain")}, factor: 3 }`;
    const directory = await run("half-b", half("b", config(`  rho: { order: ${order} }\n`)), "--seeds", "1,2");
    const known = new Set(epochs.flatMap((epoch) => drawnIn(join(seen, "plain", "seed-0"), epoch)));
    expect(known.size).toBe(150);
    for (const seed of [1, 2]) {
      for (const epoch of epochs) {
        const drawn = drawnIn(join(directory, "rho", `seed-${seed}`), epoch);
        expect([drawn.length, new Set(drawn).size]).toEqual([50, 50]);
        expect(drawn.filter((index) => known.has(index))).toEqual([]);
      }
    }
  });
});

describe("a proxy, as docs/ORDERS.md has it", () => {
  it("a small model chooses its batches, and another one trains on what it chose, at its sizes", async () => {
    const order = "{ name: pool, factor: 2 }";
    const proxy = await run("proxy", config(`  small: { order: ${order} }\n`), "--seeds", "2");
    const arms = `  large: { order: { replay: ${join(proxy, "small")} } }\n`;
    const text = config(arms).replace("model: mnist-cnn", "model: fashion-mnist-cnn");
    const directory = await run("large", text, "--seeds", "2");
    for (const seed of [0, 1]) {
      const [small, large] = [join(proxy, "small", `seed-${seed}`), join(directory, "large", `seed-${seed}`)];
      for (const epoch of epochs) {
        const chosen = readOrder(small, epoch);
        expect(chosen.indices.length).toBe(158);
        expect(readOrder(large, epoch)).toEqual(chosen);
      }
      const parameters = [small, large].map(
        (path) => JSON.parse(readFileSync(join(path, "run.json"), "utf8")).surroundings.parameterCount,
      );
      expect(parameters).toEqual([20_074, 68_621]);
      expect(readSignal(large, "loss", 2)).not.toEqual(readSignal(small, "loss", 2));
    }
  });
});

describe("methods that read the ledger", () => {
  it("infobatch trains on fewer samples until the last epoch, loshchilov-hutter on some more often", async () => {
    const arms = `  infobatch: { order: { name: infobatch, delta: 0.6 } }
  ranked: { order: { name: loshchilov-hutter, se0: 1000, seEnd: 1000 } }
`;
    const directory = await run("ledger", config(arms));
    const of = (arm: string) =>
      readFileSync(join(directory, arm, "seed-0", "metrics.jsonl"), "utf8")
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line));
    const [first, second, third] = of("infobatch");
    expect([first.samples, third.samples]).toEqual([315, 315]);
    expect(second.samples).toBeLessThan(300);
    const { indices, weights } = readOrder(join(directory, "infobatch", "seed-0"), 1);
    const losses = readSignal(join(directory, "infobatch", "seed-0"), "loss", 0);
    const known = losses.filter((loss) => !Number.isNaN(loss));
    const mean = known.reduce((sum, loss) => sum + loss, 0) / known.length;
    for (const [at, index] of indices.entries()) expect(weights?.[at]).toBe(losses[index] < mean ? 2 : 1);
    const hard = [...losses.keys()].filter((index) => losses[index] >= mean);
    expect(hard.every((index) => indices.includes(index))).toBe(true);

    const ranked = of("ranked").map(({ order }) => order);
    expect(ranked[0]).toMatchObject({ distinct: 315, mostDrawn: 1 });
    expect(ranked[2].distinct).toBeLessThan(220);
    expect(ranked[2].mostDrawn).toBeGreaterThan(3);
    // 1 / Σp² of a geometric series over 315 ranks that falls by 1,000.
    expect(ranked[2].effectiveDataSize).toBeCloseTo(Math.tanh(Math.log(1000) / 2) / Math.tanh(Math.log(1000) / 630), 6);
  });
});
