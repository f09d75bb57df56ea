// The easier half of the samples first, then the harder one, each part shuffled: a curriculum within each epoch.
// Choose it to see how an order of your own reads losses. Costs a sort. Made up for this example.
import { argsort, cut, defineOrder, shuffle, shuffled, z } from "importance-batching";

export default defineOrder({
  name: "easy-then-hard",
  summary: "The easier part of the samples first, then the harder one, each shuffled; shuffled before there are losses.",
  whenToChoose: "To see how an order of your own reads losses.",
  options: z.strictObject({
    easyShare: z.number().gt(0).lt(1).default(0.5).describe("share of the samples that come first, in 0 … 1"),
  }),
  coverage: () => "each-once",
  readsLedger: true,
  changesEachEpoch: () => true,
  dependsOnSeed: () => true,

  order({ eligible, ledger, options, random, size }) {
    const numbers = random("order");
    const samples = shuffled(eligible, numbers);
    const losses = Float32Array.from(samples, (index) => ledger.loss[index]); // NaN where never seen: sorted last
    if (losses.some((loss) => !Number.isNaN(loss))) {
      const indices = argsort(losses).map((place) => samples[place]);
      const easy = Math.round(options.easyShare * indices.length);
      shuffle(indices, numbers, 0, easy);
      shuffle(indices, numbers, easy, indices.length);
      return { indices, offsets: cut(indices.length, size) };
    }
    return { indices: samples, offsets: cut(samples.length, size) };
  },
});
