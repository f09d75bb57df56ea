/**
 * One fixed part of the samples: those that runs recorded earlier forgot most often; shuffled in each epoch.
 *
 * Toneva et al. 2019, "An empirical study of example forgetting during deep neural network learning" (arXiv 1812.05159). Choose
 * it to ask which samples can be done without. It costs the runs that the scores are from (`from`), whole ones, and a shuffle each
 * epoch; it pays where many trainings on the part come after. The authors claim that a large share of samples, never forgotten, can be
 * left out with no loss of accuracy. Others: a random part that is drawn anew each epoch beats many methods that choose one
 * (Guo et al. 2022, DeepCore), so compare with `random-subset`, redrawn and (`redraw: never`) fixed.
 *
 * A sample is forgotten where it was classified right at a visit and wrong at the next one, by the training passes of the run. One
 * that was never right counts as forgotten in every epoch: more often than any other. Over several runs it is the
 * mean, of the runs of other seeds. Chance, by seed, breaks ties, of which there are many; samples unknown there come last.
 */
import { z } from "zod";
import { defineOrder } from "../contract.js";
import { fractionOption } from "../fraction.js";
import { keptPart } from "../ranked-by-score.js";

export default defineOrder({
  name: "forgetting-subset",
  summary: "A fixed part of the samples, forgotten most often in runs recorded earlier; shuffled each epoch.",
  whenToChoose:
    "Which samples can be done without? Costs whole runs, which scores are from. Toneva et al. 2019 claim a large share can; compare with random-subset, which beats many such methods.",
  options: z.strictObject({
    fraction: fractionOption.unwrap().default(0.5).describe("share of the samples that is kept; above 0, at most 1"),
  }),
  coverage: ({ fraction }) => (fraction === 1 ? "each-once" : "at-most-once"),
  epochShare: ({ fraction }) => fraction,
  readsLedger: false,
  unknownProbabilities: true,
  deviation: "To train on a part is what it is for.",
  scores: () => ({ of: "forgetting", epoch: null }),
  changesObjective: ({ fraction }) => fraction < 1,
  changesEachEpoch: () => true,
  dependsOnSeed: () => true,

  order: (context) => keptPart(context, "descending"),
});
