// The faults of the 2019 study's code, planted as orders of a user's own: each is called by its name in the log and in the
// findings, where the study took its figures for results.
import { expect, test } from "vitest";
import { orderNotes } from "../../src/results/order-notes.js";
import { orderModule } from "../order-files/own-order.js";
import type { Pretence } from "./fake-backend.js";
import { Scene } from "./scene.js";

const N = 4000;
const easy: Pretence = { n: N, loss: (index, step) => 0.1 + ((index * 7919) % N) / N + 1 / (1 + step) };

const eachBatch = (body: string) =>
  orderModule(`
  readsLedger: true, coverage: () => "any", changesObjective: () => true, order: undefined, unknownProbabilities: false,
  memory: { weights: { dtype: "f64", length: (n) => n } },
  nextBatch({ eligible, ledger, memory, count, random, step }) {
    ${body}
  },`);

test.each([
  [
    "min_k: what is drawn is set to 0, the least of all losses, and so is drawn again, k times a batch",
    `const losses = Float64Array.from(eligible, (i) => Number.isNaN(ledger.loss[i]) ? 9 : ledger.loss[i]);
    const indices = new Uint32Array(count).map(() => {
      const least = losses.indexOf(Math.min(...losses));
      losses[least] = 0;
      return eligible[least];
    });
    return { indices, offsets: Uint32Array.of(0, count) };`,
    /^The order of a has collapsed: only \d+ different samples among the 4,000 of an epoch$/,
  ],
  [
    "a ledger by class that is keyed by objects: each sample is its own class, and samples 0 to 99 come for ever",
    `return { indices: Uint32Array.from({ length: count }, (_, i) => (i + step * count) % 100), offsets: Uint32Array.of(0, count) };`,
    /^The order of a has collapsed: only 100 different samples among the 4,000 of an epoch$/,
  ],
  [
    "weights that are normalised in place, with raw losses written into them: all mass lies on the batches just seen",
    `const { weights } = memory;
    if (step === 0) weights.fill(1);
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    for (let i = 0; i < weights.length; i++) weights[i] /= total;
    for (let i = 0; i < weights.length; i++) if (step >= 2 && ledger.seenAtStep[i] === step - 2) weights[i] = ledger.loss[i];
    const numbers = random("order");
    const keys = Float64Array.from(eligible, (i) => -Math.log(numbers.uniform() || 1e-300) / weights[i]);
    const indices = eligible.slice().sort((a, b) => keys[a] - keys[b]).slice(0, count);
    const mass = weights.reduce((sum, weight) => sum + weight, 0);
    const squares = weights.reduce((sum, weight) => sum + weight * weight, 0);
    return { indices, offsets: Uint32Array.of(0, count), effectiveDataSize: Math.max(1, mass ** 2 / squares) };`,
    /^The order of a has collapsed: drawn as if from \d+\.\d samples \(1\/Σp²\), for 4,000 an epoch$/,
  ],
])("%s", async (_, body, told) => {
  const scene = new Scene();
  scene.write("mine.mjs", eachBatch(body));
  const settings = ["arms={a: {order: ./mine.mjs}}", "seeds=[0]", "epochs=2", "batching.size=50"];
  const { results, error } = await scene.run({ settings, pretence: easy });
  expect(error).toBeUndefined();
  expect(results).toMatchObject([{ state: "done", error: undefined }]);
  const notes = orderNotes(results.map((result) => ({ ...result, timings: [], document: undefined })));
  expect(notes).toContainEqual(expect.stringMatching(told));
  expect(scene.text("log.txt")).toContain("a, seed 0: epoch 2: the order has collapsed: ");
});
