/** The part of a config's schema that is common to all arms. Checks, types and the reference page come from it. */
import { z } from "zod";
import { CHANNELS_LAST } from "../backend/messages.js";
import { EXTRA_SIGNALS } from "../orders/contract.js";
import { MEASURE_KINDS } from "../record/measure-kinds.js";
import { FILE_NAME } from "../record/run-places.js";
import { learningRate } from "../schedules/index.js";
import { RANDOM_SOURCES } from "./run-seeds.js";
import { count, seed, someCount } from "./schema-numbers.js";

const averagedSection = z
  .strictObject({
    last: z
      .number()
      .gt(0)
      .max(1)
      .optional()
      .describe("a uniform mean of the weights after each update in the last so much of the run, a share"),
    decay: z
      .number()
      .gt(0)
      .lt(1)
      .optional()
      .describe("an exponential mean of the weights after each update: what it keeps of itself at one"),
  })
  .refine(({ last, decay }) => (last === undefined) !== (decay === undefined), {
    message: "expected one of last and decay, as in { last: 0.25 } or { decay: 0.999 }",
  });

const MAX_EVALUATIONS = 1000;

const evaluationSection = z.strictObject({
  every: someCount.default(1).describe("epochs between two evaluations; the last epoch is always evaluated"),
  perEpoch: someCount
    .max(MAX_EVALUATIONS)
    .optional()
    .describe(
      "evaluations in each epoch that is evaluated, after equal numbers of batches and at its end; left out, or 1: at its end " +
        "alone; at most 1000. Those before the end change no training, and are in curves and in the table of recency: targets and " +
        "verdicts are of ends of epochs",
    ),
  averaged: averagedSection
    .optional()
    .describe(
      "evaluate a mean of the weights beside the last ones, too; verdicts stay with these. `{ last: 0.25 }`: a uniform one over " +
        "the updates of the last quarter of the run, by its progress. `{ decay: 0.999 }`: exponential, bias corrected. BatchNorm's " +
        "statistics are estimated anew, for the last weights, too, that the mean is held against. Costs 8 bytes for each trained " +
        "parameter on the device and in checkpoints, twice that for a moment, a pass over them at each update, and another evaluation each time",
    ),
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
    .describe(
      "training images to keep for the report: so many of each class's hardest, and of its most misjudged; of more than 200 " +
        "classes, of the 200 with the highest losses",
    ),
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

/** With far more of them torch ends its process. */
const MAX_THREADS = 1024;

/** Each is a process with a model and the data. */
const MAX_JOBS = 256;

const device = z.string().regex(/^(auto|cpu|cuda(:\d+)?)$/, "expected auto, cpu or cuda:N");

/** More than any machine has. */
const MAX_GIB = 1e6;

const resourcesSection = z.strictObject({
  cpus: someCount
    .max(MAX_THREADS)
    .optional()
    .describe("CPUs of its node; `backend.threads` where that is a number and this is left out, else 1"),
  gpus: z
    .number()
    .min(0)
    .max(1)
    .default(0)
    .describe("GPUs of its node: 1, or a share of one, as 0.5, beside other backends; 0: it computes on the CPU"),
  memory: z.number().positive().max(MAX_GIB).optional().describe("GiB of its node's memory; left out: not asked for"),
});

export const backendSection = z
  .strictObject({
    equalBits: z
      .boolean()
      .default(false)
      .describe("refuse models and operations that may give other bits from run to run"),
    channelsLast: z
      .enum(CHANNELS_LAST)
      .default("auto")
      .describe(
        "how images and weights lie in memory. auto: channels last, which is faster, but for a model of yours that does not bear " +
          "it; off: channels first, torch's usual format. It changes results by rounding only",
      ),
    fast: z
      .boolean()
      .default(true)
      .describe(
        "on a GPU: update all weights by one kernel, and launch a step as one recording (a CUDA graph) where the model bears it; " +
          "false: one operation at a time, as plain PyTorch. Nothing changes on the CPU",
      ),
    device: device.default("auto").describe("auto (a GPU where there is one), cpu or cuda:N"),
    devices: z
      .array(device)
      .min(1)
      .max(MAX_JOBS)
      .optional()
      .describe("several, as [cuda:0, cuda:1], that backends are started on in turn; `device` is left out then"),
    jobs: someCount
      .max(MAX_JOBS)
      .optional()
      .describe(
        "backends to start, which train runs side by side, the longest runs first; as many as `devices` where left out, else 1. " +
          "It changes no bit where `threads` is a number",
      ),
    threads: z
      .union([z.literal("auto"), someCount.max(MAX_THREADS)])
      .default("auto")
      .describe(
        "CPU threads of torch, of each job, at most 1024; auto: all cores, shared out. Equal bits need equal numbers",
      ),
    resources: resourcesSection
      .optional()
      .describe(
        "what Ray keeps free on a node for each backend that it holds (`--ray`), where `threads: auto` is its CPUs",
      ),
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
  })
  .refine(({ device, devices }) => devices === undefined || device === "auto", {
    path: ["devices"],
    message: "names the devices: leave `device` out",
  })
  .refine(({ listen, jobs, devices = [] }) => (jobs ?? devices.length) <= 1 || /^ipc$|:0$/.test(listen), {
    path: ["listen"],
    message: "names one port, and each job listens at its own: leave `listen` out, or name port 0",
  });

/** A bigger number is a seed where a number of seeds was expected. */
const MAX_SEEDS = 10_000;

const plannedComparison = z.union(
  [z.string(), z.strictObject({ arm: z.string(), with: z.string() })],
  "expected an arm, or { arm: a, with: b }",
);

const runsSeeds = [someCount.max(MAX_SEEDS), z.array(seed).min(1).max(MAX_SEEDS)] as const;
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

const MAX_RATES = 1000;

const tuneSection = z.strictObject({
  learningRate: z
    .array(learningRate)
    .min(2, "expected at least 2 learning rates to choose from")
    .max(MAX_RATES)
    .refine((rates) => new Set(rates).size === rates.length, "expected each learning rate once"),
  seeds: someCount.max(MAX_SEEDS).default(9),
  validation: z.number().gt(0).lt(1).default(0.1),
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
  tune: tuneSection
    .nullable()
    .optional()
    .describe(
      "`{ learningRate: [0.003, 0.01, 0.03, 0.1], seeds: 9, validation: 0.1 }`: each arm's `schedule.learningRate` is chosen from " +
        "these, whatever the config says there. First every arm is trained with every rate and `seeds` (9) seeds of their own, 1000000 " +
        "and up, on what `dataset` gives less the share `validation` (0.1), stratified by class, the same for all these runs, and " +
        "measured on that part; the test set is not looked at. An arm's rate is the one with the best mean of `primary` after the last " +
        "epoch: of rates at which runs diverged those with fewer such runs come first, of equal means the one that is better by " +
        "the other measure, then the lower rate. An arm of which every run diverged fails. " +
        "Seeds that are fixed in `seeds` are not " +
        "in these runs, and may be none of theirs. Arms need one and the same dataset section (labelNoise may differ, `subsetSeed: run` is refused), " +
        "and orders that need no other run (`replay`, `from`); null: rates are as the config says",
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
