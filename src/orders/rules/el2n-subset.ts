/**
 * One fixed part of the samples, chosen by their EL2N scores in runs recorded earlier, shuffled in each epoch.
 *
 * Paul, Ganguli and Dziugaite 2021, "Deep learning on a data diet" (arXiv 2107.07075). Choose it to ask which samples can be
 * done without. It costs the runs that the scores are from (`from`, 10 or so for a steady mean), and a shuffle each epoch; it
 * pays where many trainings on the part come after. The authors claim that half of CIFAR-10 can be left out by scores of early
 * epochs with no loss of accuracy. Others: a random part that is drawn anew each epoch beats many methods that choose one (Guo
 * et al. 2022, DeepCore), so compare with `random-subset`, redrawn and (`redraw: never`) fixed.
 *
 * EL2N is the norm of softmax less one-hot label. The paper takes it after an epoch, in the mean over networks; here it is that of the
 * training passes in `epoch`, with dropout and augmentation, in the mean over the runs of other seeds. `keep: highest` keeps the
 * hardest, `lowest` the easiest (a control), `offset` leaves out the share `offset` of the very hardest first, which the paper
 * found better where labels are wrong or little is kept. Chance, by seed, breaks ties; samples unknown there come last.
 */
import { z } from "zod";
import { defineOrder } from "../contract.js";
import { fractionOption } from "../fraction.js";
import { keptPart } from "../ranked-by-score.js";

const USUAL_OFFSET = 0.05;

const options = z
  .strictObject({
    epoch: z.int().min(0).default(10).describe("epoch of the runs, from 0, of whose training passes EL2N is taken"),
    fraction: fractionOption.unwrap().default(0.5).describe("share of the samples that is kept; above 0, at most 1"),
    keep: z
      .enum(["highest", "lowest", "offset"])
      .default("highest")
      .describe(
        "highest: those with the highest EL2N; lowest: the lowest; offset: the highest behind the share `offset`",
      ),
    offset: z
      .number()
      .min(0)
      .lt(1)
      .default(USUAL_OFFSET)
      .describe("share of the samples, with the very highest EL2N, that keep: offset leaves out"),
  })
  .refine(({ fraction, keep, offset }) => keep !== "offset" || fraction + offset <= 1, {
    path: ["offset"],
    message: "expected at most 1 together with fraction",
  })
  .refine(({ keep, offset }) => keep === "offset" || offset === USUAL_OFFSET, {
    path: ["offset"],
    message: "is for keep: offset",
  });

export default defineOrder({
  name: "el2n-subset",
  summary: "A fixed part of the samples, with the highest EL2N in runs recorded earlier; shuffled each epoch.",
  whenToChoose:
    "Which samples can be done without? Costs the runs that scores are from. Paul et al. 2021 claim half of CIFAR-10; compare with random-subset, which beats many such methods.",
  options,
  coverage: ({ fraction }) => (fraction === 1 ? "each-once" : "at-most-once"),
  epochShare: ({ fraction }) => fraction,
  readsLedger: false,
  unknownProbabilities: true,
  deviation: "To train on a part is what it is for.",
  scores: ({ epoch }) => ({ of: "el2n", epoch }),
  changesObjective: ({ fraction }) => fraction < 1,
  changesEachEpoch: () => true,
  dependsOnSeed: () => true,

  order(context) {
    const { options, eligible } = context;
    const skipped = options.keep === "offset" ? Math.round(options.offset * eligible.length) : 0;
    return keptPart(context, options.keep === "lowest" ? "ascending" : "descending", skipped);
  },
});
