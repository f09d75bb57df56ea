// An order of one's own that keeps memory and takes time: samples above the mean of what it has seen come twice.
import { appendFileSync } from "node:fs";
import { cut, defineOrder, shuffled, z } from "importance-batching";

export default defineOrder({
  name: "hard-twice",
  summary: "Samples above the mean of the losses that it has seen come twice.",
  whenToChoose: "Under chaos alone.",
  options: z.strictObject({}),
  coverage: () => "any",
  deviation: "hard samples come twice",
  changesObjective: () => true,
  readsLedger: true,
  changesEachEpoch: () => true,
  dependsOnSeed: () => true,
  memory: { seen: { dtype: "f64", length: (n) => n } },

  order({ eligible, ledger, memory, random, size }) {
    mark("(");
    const { seen } = memory;
    for (let round = 0; round < 1_000_000; round++) {
      const index = eligible[round % eligible.length];
      const loss = ledger.loss[index];
      if (Number.isFinite(loss)) seen[index] = 0.999 * seen[index] + 0.001 * loss;
    }
    const mean = seen.reduce((sum, value) => sum + value, 0) / seen.length;
    const twice = eligible.filter((index) => seen[index] > mean);
    const indices = shuffled(Uint32Array.of(...eligible, ...twice), random("order"));
    mark(")");
    return { indices, offsets: cut(indices.length, size) };
  },
});

/** So that a kill can come while a plan is made. */
function mark(text) {
  if (process.env.CHAOS_PLANNING) appendFileSync(process.env.CHAOS_PLANNING, text);
}
