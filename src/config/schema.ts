/** The config's one schema: checks, types and the reference page come from it. */
import { z } from "zod";
import { PRECISIONS } from "../backend/messages.js";
import { EXTRA_SIGNALS } from "../orders/contract.js";
import { ORDER_ORIGINS } from "../orders/ledger-options.js";
import { MEASURE_KINDS } from "../record/findings-document.js";
import { FILE_NAME } from "../record/run-places.js";
import { RANDOM_SOURCES } from "./run-seeds.js";

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

const count = z.int().min(0);
/** No sharper `min` of `count`: a number below both would be told the weaker bound. */
const someCount = z.int().min(1);
const MAX_SEED = 2 ** 32 - 1;
/** A bigger number is a seed where a number of seeds was expected. */
const MAX_SEEDS = 10_000;
const seed = z.int().min(0).max(MAX_SEED);

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

/** A loss of the user's own. */
export const lossSection = z.strictObject({
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

const evaluationSection = z.strictObject({
  every: someCount.default(1).describe("epochs between two evaluations; the last epoch is always evaluated"),
  batchSize: someCount.default(500).describe("samples a batch of an evaluation; changes results by rounding only"),
  trainSample: count
    .default(2000)
    .describe(
      "evaluate a fixed stratified sample of what is trained on, of this size; the same for every seed, and for all " +
        "arms with the same dataset section",
    ),
  batchNorm: z
    .enum(["running", "reestimated"])
    .default("running")
    .describe(
      "what BatchNorm normalises with in evaluations: its running statistics, or those of a fixed sample of 2,000 that is " +
        "trained on; a model without BatchNorm gives the same",
    ),
  batchNormSample: count
    .default(1000)
    .describe(
      "after the last epoch of a model with BatchNorm, look at so many test samples with each kind of statistics, and at so " +
        "many training samples in the arm's own batches; 0: do not",
    ),
});

const recordSection = z.strictObject({
  orders: z
    .enum(["full", "hash"])
    .default("full")
    .describe("record each epoch's indices, or only their hash (not for orders that read the ledger)"),
  signals: z
    .enum(["full", "last"])
    .default("full")
    .describe("keep each epoch's losses and predictions, or only the last one's"),
  scoreAll: z
    .boolean()
    .default(false)
    .describe(
      "after the last epoch, score every sample of the training set, those that were not trained on, too, and keep the " +
        "losses: what order rho-loss reads. It is one forward pass of all of them; metrics, budgets and tables of cost leave it out",
    ),
  extraSignals: z
    .array(z.enum(EXTRA_SIGNALS))
    .optional()
    .describe(
      "signals of training passes to record for every order, beside loss and prediction: some of margin, entropy, el2n; what " +
        "orders read is recorded anyway",
    ),
  images: count
    .max(1000)
    .default(8)
    .describe("training images to keep for the report: so many of each class's hardest, and of its most misjudged"),
});

const MAX_SECONDS = 86_400;
const seconds = z.number().positive().max(MAX_SECONDS);

const checkpointSection = z.strictObject({
  everyEpochs: someCount
    .nullable()
    .default(1)
    .describe("epochs between two checkpoints, each at an epoch's end, `leastSeconds` apart; null: none there"),
  everyBatches: someCount.nullable().default(null).describe("batches between two checkpoints; null: no such number"),
  everySeconds: seconds
    .nullable()
    .default(60)
    .describe("seconds after which the next batch has a checkpoint before it; null: no such time"),
  leastSeconds: z
    .number()
    .min(0)
    .max(MAX_SECONDS)
    .default(5)
    .describe(
      "seconds that a checkpoint at an epoch's end is at least apart from the last one, so that short epochs have few",
    ),
  keep: someCount.default(2).describe("the newest so many are kept while the run goes on"),
  final: z
    .boolean()
    .default(false)
    .describe("take one at the run's end, too, and keep it: the trained model; else all go when the run has ended"),
});

const heartbeatSection = z.strictObject({
  everySeconds: seconds.default(1).describe("seconds between two pings"),
  limitSeconds: seconds.default(30).describe("seconds of silence after which the backend is given up"),
});

export const backendSection = z.strictObject({
  equalBits: z
    .boolean()
    .default(false)
    .describe("refuse models and operations that may give other bits from run to run"),
  device: z
    .string()
    .regex(/^(auto|cpu|cuda(:\d+)?)$/, "expected auto, cpu or cuda:N")
    .default("auto")
    .describe("auto (a GPU where there is one), cpu or cuda:N"),
  threads: z
    .union([z.literal("auto"), someCount])
    .default("auto")
    .describe("CPU threads of torch; auto: all cores. Equal bits need equal numbers"),
  listen: z
    .union([z.literal("ipc"), z.string().regex(/^tcp:\/\//, "expected ipc, or tcp://127.0.0.1:PORT")])
    .default("ipc")
    .describe("where a backend that is started listens: ipc, or tcp://127.0.0.1:PORT"),
  chunkBatches: someCount.default(50).describe("batches a message; changes no bit of the results"),
  orderSeconds: seconds
    .default(600)
    .describe("seconds that an order in a file of yours may take for an epoch; its run fails then, and others go on"),
  startSeconds: seconds.default(120).describe("seconds that the backend may take to start"),
  heartbeat: heartbeatSection.prefault({}),
  restarts: count
    .max(1000)
    .default(3)
    .describe(
      "how often a run that loses its backend goes on with another one, from its last checkpoint, before it fails",
    ),
  stallSeconds: seconds
    .nullable()
    .default(3600)
    .describe(
      "seconds that a working backend may go without a batch or an answer, opening a dataset included, before it is given " +
        "up; a run that has begun goes on with another one (`restarts`); null: no limit",
    ),
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
  loss: lossSection.optional().describe("a loss of yours: see Your own; without it: cross-entropy"),
  optimizer: named("{ name: sgd, momentum: 0.9 }"),
  schedule: named("{ name: constant, learningRate: 0.1 }"),
  batching: named("{ name: constant, size: 64 }"),
  order: orderSection,
  augmentation: augmentationSection.prefault({}),
  precision: z.enum(PRECISIONS).default("float32").describe("float32, or bfloat16 by autocast"),
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
        "that reaches it, so its last epoch may be cut short; one that ends on a shuffle ends on a whole one, a few updates " +
        "earlier where sizes shrink. What a schedule " +
        "or a batching rule counts in epochs is then nominal: as many samples as the order declares, for updates in batches of the " +
        "first one's size",
    ),
};
export const TRAINING_KEYS = Object.keys(trainingShape);

/** One arm, merged with what is common to all. */
export const armSchema = z
  .strictObject(trainingShape)
  .refine(({ epochs, budget }) => (epochs === undefined) !== (budget === undefined), {
    message: "expected the length of a run: exactly one of epochs and budget",
    path: ["epochs"],
  });

const plannedComparison = z.union(
  [z.string(), z.strictObject({ arm: z.string(), with: z.string() })],
  "expected an arm, or { arm: a, with: b }",
);

const runsSeeds = [someCount.max(MAX_SEEDS), z.array(seed).min(1)] as const;
const seedsApart = z
  .strictObject({
    count: z.union(runsSeeds).describe("a number N (seeds 0 … N-1), or a list of seeds"),
    model: seed.optional().describe("of the initial weights of every run"),
    order: seed.optional().describe("of the orders, the batching and the placebos of every run"),
    noise: seed.optional().describe("of dropout and augmentation in every run"),
  })
  .refine((seeds) => RANDOM_SOURCES.some((source) => seeds[source] === undefined), {
    message: "expected one or two of model, order and noise: with all three fixed every run would be the same one",
  });

/** What is common to all arms and is no part of an arm. */
export const commonSchema = z.strictObject({
  name: z
    .string()
    .regex(FILE_NAME, "expected letters, digits, dots, dashes and underscores")
    .describe("names the run directory"),
  seeds: z
    .union([...runsSeeds, seedsApart])
    .describe(
      "a number N (seeds 0 … N-1), or a list of seeds; or `{ count: N, model: 0 }`, with a number or list as `count`: one or two of " +
        "model (initial weights), order (orders, batching, placebos) and noise (dropout, augmentation) have this seed in every run",
    ),
  baseline: z
    .string()
    .optional()
    .describe("the arm that others are compared with, seed by seed; default: shuffled where there is one"),
  comparisons: z
    .union([z.literal("all"), z.array(plannedComparison)], "expected all, or a list of arms")
    .default("all")
    .describe(
      "what was planned: Holm's correction is over these, and the others are exploratory. all: every arm with the " +
        "baseline; or a list of arms, and of `{ arm: a, with: b }` to compare an arm with another one than the baseline",
    ),
  primary: z
    .enum(MEASURE_KINDS)
    .default("accuracy")
    .describe(
      "the one measure of the last epoch on the test set that carries verdicts: Holm's correction is over its planned " +
        "comparisons. The other one is shown and claims nothing, so choose before anything is seen",
    ),
  targetAccuracy: z
    .number()
    .gt(0)
    .max(1)
    .nullable()
    .default(null)
    .describe("test accuracy whose cost is told: epochs, samples, seconds; null: the mean that the baseline ends with"),
  equivalenceMargin: z
    .number()
    .gt(0)
    .lt(1)
    .nullable()
    .default(null)
    .describe(
      "difference in the primary measure that counts as none, below 1: a share in accuracy, the loss's own unit in loss " +
        "(nats of cross-entropy). Within it the table calls arms equivalent, and `ibatch validate --accuracy`, which needs " +
        "one in accuracy, two trainings; null: neither does",
    ),
  evaluation: evaluationSection.prefault({}),
  record: recordSection.prefault({}),
  checkpoint: checkpointSection
    .nullable()
    .prefault({})
    .describe("where a run that was stopped or killed goes on; null: it begins anew"),
  backend: backendSection.prefault({}),
});

export type Common = z.infer<typeof commonSchema>;
export type ArmSections = z.infer<typeof armSchema>;
