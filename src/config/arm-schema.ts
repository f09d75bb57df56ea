/** The part of a config's schema that an arm may override: all that influences training. */
import { z } from "zod";
import { PRECISIONS } from "../backend/messages.js";
import { ORDER_ORIGINS } from "../orders/ledger-options.js";
import { OF_SEVERAL } from "../schema-mistake.js";
import { CROSS_ENTROPY } from "./losses.js";
import { count, seed, someCount } from "./schema-numbers.js";

const NAMED = (example: string) => `expected a name, or a map of a name and options, as in ${example}`;
const name = z.string("expected a name, see `ibatch list`");

/** What a user picks by name: the name alone, or a map with its options beside the name. */
const named = (example: string) => z.looseObject({ name: name.describe("see `ibatch list`") }, NAMED(example));

const reference = z
  .string("expected package.module:callable")
  .regex(/^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$/, "expected package.module:callable");
const args = z.record(z.string(), z.unknown()).default({}).describe("keyword arguments of the callable, as they are");

const isOneOf = (section: { name?: string | undefined; reference?: string | undefined }): boolean =>
  (section.name === undefined) !== (section.reference === undefined);
const ONE_OF = "expected exactly one of name and reference";

/** A model of ours by name, or the user's by reference: `modelReference` checks the rest of that. */
const modelSection = z
  .looseObject(
    {
      name: name.optional().describe("see `ibatch list models`"),
      reference: reference.optional().describe("or a callable of yours: see Your own"),
    },
    NAMED("{ name: mnist-cnn }"),
  )
  .refine(isOneOf, { message: ONE_OF });

/** An order is one of ours, a user's file or package, or what another run recorded; its options stand beside that. */
const orderSection = z
  .looseObject(
    {
      name: name.optional().describe("one of ours, see `ibatch list orders`; or else `file`, or `replay`"),
      file: z
        .string()
        .optional()
        .describe("your own: a module's path relative to this file, or a package; short: `order: ./my-order.mjs`"),
      replay: z
        .string()
        .optional()
        .describe(
          "directory, relative to this file, of a run (`<arm>/seed-<n>`) whose recorded orders are trained on; of an " +
            "arm: each seed takes the run of the same seed",
        ),
      shuffledLastEpoch: z
        .boolean()
        .optional()
        .describe(
          "beside any order: the last epoch is what shuffled would make of it with the same seed, of all samples, so that what was " +
            "trained on last tells no arms apart; its cost is kept of a budget from the start; false where left out",
        ),
    },
    NAMED("{ name: shuffled }"),
  )
  .refine((section) => ORDER_ORIGINS.filter((origin) => section[origin] !== undefined).length === 1, {
    message: "expected exactly one of name, file and replay",
  });
const shares = {
  subset: someCount
    .nullable()
    .default(null)
    .describe(
      "train on this many samples, stratified by class, the same for every seed (but see subsetSeed); null: on all (of `part`)",
    ),
  validation: count
    .default(0)
    .describe("keep this many training samples, stratified by class, for validation, the same for every seed"),
  part: z
    .enum(["a", "b"])
    .optional()
    .describe(
      "train on one half of what is not for validation, stratified by class, the same halves for every seed: a model of " +
        "the one half can judge the samples of the other one (order rho-loss); left out: on both",
    ),
  subsetSeed: z
    .enum(["fixed", "run"])
    .optional()
    .describe(
      "fixed, where left out: one subset for every seed, so that intervals are of that one; run: each seed draws a subset of its own",
    ),
  labelNoise: z
    .strictObject({
      fraction: z.number().gt(0).max(1).describe("share of the samples that may be trained on which get another label"),
      seed: seed.default(0).describe("which ones, and which labels: the same for every seed of `seeds`"),
    })
    .nullable()
    .optional()
    .describe(
      "`{ fraction, seed }`: that share of the samples that may be trained on (not of the validation part) gets another label, " +
        "uniform over the other classes, which ones by `seed` (0), the same for every run. Orders and scoring passes see " +
        "them; all is evaluated by the labels of the dataset, the sample of what is trained on, too; null: none",
    ),
};

/** A dataset of ours by name, or the user's by reference: `datasetReference` checks the rest of that. */
const datasetSection = z
  .looseObject(
    {
      name: name.optional().describe("see `ibatch list datasets`"),
      reference: reference.optional().describe("or a callable of yours: see Your own"),
      ...shares,
    },
    NAMED("{ name: mnist, subset: 1000 }"),
  )
  .refine(isOneOf, { message: ONE_OF });

const MAX_WORKERS = 256;

/** A model of the user's own. */
export const modelReference = z.strictObject({
  reference: reference.describe(
    "a callable that returns a torch.nn.Module from images to logits; needs --allow-import",
  ),
  args,
});

/** A dataset of the user's own. */
export const datasetReference = z.strictObject({
  reference: reference.describe("a callable that returns arrays or map-style datasets; needs --allow-import"),
  args,
  testArgs: z
    .record(z.string(), z.unknown())
    .nullable()
    .default(null)
    .describe("the callable gives one part: with these beside `args` it gives the test part; null: it gives both"),
  load: z
    .enum(["auto", "resident", "fetch"])
    .default("auto")
    .describe("keep images in memory, or have workers fetch them by index; auto: as there is room; the same bits"),
  workers: count.max(MAX_WORKERS).default(2).describe("processes that fetch images"),
});

/** Our loss by name, or the user's by reference: `CROSS_ENTROPY` and `lossReference` check the rest of that. */
const lossSection = z
  .looseObject(
    {
      name: z.literal(CROSS_ENTROPY.name).optional().describe("see `ibatch list losses`"),
      reference: reference.optional().describe("or a callable of yours: see Your own"),
    },
    NAMED("{ name: cross-entropy, labelSmoothing: 0.1 }"),
  )
  .refine(isOneOf, { message: ONE_OF });

/** A loss of the user's own. */
export const lossReference = z.strictObject({
  reference: reference.describe(
    "a function (logits, labels) or a class of such, giving one value a sample; without this section: cross-entropy; " +
      "needs --allow-import",
  ),
  args: args.describe("keyword arguments of the class, or of the function beside logits and labels"),
});

const augmentationSection = z.strictObject({
  crop: count.max(64).default(0).describe("random crop after padding by this many black pixels; 0: none"),
  flip: z.boolean().default(false).describe("random horizontal flip"),
});

const budgetSection = z
  .strictObject({
    epochs: someCount.optional().describe("as `epochs: N`"),
    updates: someCount.optional().describe("optimiser steps"),
    samples: someCount.optional().describe("samples trained on; one that is drawn twice counts twice"),
    forwardEquivalents: someCount
      .optional()
      .describe("passes of one sample: 3 for one that is trained on, 1 for one that is scored"),
  })
  .refine((budget) => Object.values(budget).filter((amount) => amount !== undefined).length === 1, {
    message: "expected exactly one of epochs, updates, samples and forwardEquivalents",
  });

/** What an arm may override: all that influences training. */
const trainingShape = {
  dataset: datasetSection,
  model: modelSection,
  loss: lossSection
    .optional()
    .describe("cross-entropy with label smoothing, or a loss of yours: see Your own; without it: cross-entropy"),
  optimizer: named("{ name: sgd, momentum: 0.9 }"),
  schedule: named("{ name: constant, learningRate: 0.1 }"),
  batching: named("{ name: constant, size: 64 }"),
  order: orderSection,
  augmentation: augmentationSection.prefault({}),
  precision: z
    .enum(PRECISIONS)
    .default("float32")
    .describe(
      "float32; tf32, where a GPU's matrix products and convolutions round what they multiply to 10 bits (NVIDIA from Ampere on: " +
        "refused elsewhere); or bfloat16 by autocast",
    ),
  microBatch: someCount
    .nullable()
    .default(null)
    .describe(
      "put at most this many samples through the model at a time and add their gradients up, for batches that do not " +
        "fit into memory; exact but for rounding without BatchNorm, another gradient with it; null: whole batches",
    ),
  epochs: someCount
    .optional()
    .describe(
      "length of a run; an epoch is what the order makes of the eligible samples once; needed without `budget`",
    ),
  budget: budgetSection
    .optional()
    .describe(
      "length of a run in the place of `epochs`, of one kind: `{ updates: N }`, optimiser steps; `{ samples: N }`, those trained " +
        "on, repeats counted; `{ forwardEquivalents: N }`, passes of one sample, a backward pass as two forward ones (arXiv " +
        "2001.08361): 3 for one trained on, 1 for one scored (a scoring pass that would leave nothing to train with is not made), " +
        "0 for evaluations; or `{ epochs: N }`. Arms with the same number of forwardEquivalents cost the same; with the same " +
        "updates or samples they are alike in these alone. Each has its schedule over its whole budget. A run ends with the batch " +
        "that reaches it: it may spend one batch with its candidates more, and its last epoch may be cut short. One that ends on a " +
        "shuffle ends on a whole one, a few updates earlier where sizes shrink. What a schedule counts in epochs is then nominal: " +
        "as many samples as the order declares, for updates in batches of the first one's size",
    ),
};
export const TRAINING_KEYS = Object.keys(trainingShape);

/** One arm, merged with what is common to all. */
export const armSchema = z
  .strictObject(trainingShape)
  .refine(({ epochs, budget }) => (epochs === undefined) !== (budget === undefined), {
    message: "expected the length of a run: exactly one of epochs and budget",
    path: ["epochs"],
    params: OF_SEVERAL,
  });
export type ArmSections = z.infer<typeof armSchema>;
