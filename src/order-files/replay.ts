/** An order that is read back from another run, so that another model or seed trains on exactly what that one did. */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { type IbatchError, usageError } from "../errors.js";
import { consecutive } from "../kernels/consecutive.js";
import type { Random } from "../kernels/random.js";
import { shuffled } from "../kernels/shuffle.js";
import { defineOrder, type OrderContext, type OrderDefinition, type OrderResult } from "../orders/contract.js";
import { ONCE } from "../orders/fraction.js";
import { whyBlocked } from "../record/blocked.js";
import type { Budget } from "../record/budget.js";
import { hashValue } from "../record/hash.js";
import { isWithin, partText, readMadeBy, type TrainedPart } from "../record/made-by.js";
import { countOrders, filesOf, keepsOrders, planOf, type RecordedOrder, readOrder } from "../record/recorded-orders.js";
import { isFinished, type Surroundings } from "../record/run-document.js";
import { holdsRun } from "../record/run-files.js";
import { runInArm } from "../record/run-places.js";
import type { RunFiles } from "../record/verified-files.js";
import { asRecorded } from "../record/write-file.js";
import { type RecordedWork, whyTooLittle } from "./recorded-work.js";
import { REPLAY, type ReplayOptions } from "./replay-options.js";

/**
 * Runs whose orders are replayed: one directory `<arm>/seed-<n>` for all seeds, or an arm's directory, of which each
 * seed replays the run with the same seed.
 */
export class Replayed {
  readonly #directory: string;
  readonly #isOneRun: boolean;
  readonly #where: string;
  /** Runs whose orders were all read once, with how many of them. */
  readonly #whole = new Map<string, number>();

  /** @throws IbatchError when there is no recorded run. */
  constructor(directory: string, base: string, where: string) {
    this.#directory = resolve(base, directory);
    this.#where = where;
    const why = whyBlocked(this.#directory);
    if (why !== undefined) throw this.#mistake(`${this.#directory} ${why}`);
    if (!existsSync(this.#directory)) throw this.#mistake(`there is no directory ${this.#directory}`);
    this.#isOneRun = holdsRun(this.#directory);
  }

  /**
   * What is replayed, whatever the seed: the plans of the one run, or the config of the arm's runs, of which each seed
   * has its own plans (`plansHash`).
   * @throws IbatchError when a seed has no recorded run, one that is damaged, with less than is wanted, on another dataset or
   * on samples that are not trained on here, or one that kept hashes alone.
   */
  identity({ runs, epochs, budget, dataset, mistake }: Replaying): string {
    const replayed = runs.map(({ seed, part }) => ({ directory: this.#run(seed, mistake), part }));
    for (const directory of new Set(replayed.map((run) => run.directory))) {
      const files = filesOf(directory);
      const { state, dataset: recordedOn, part: trainedOn } = readMadeBy(files); // first: all of its files are looked at
      const recorded = countOrders(files);
      const wanted = epochs ?? recorded;
      if (recorded < wanted) {
        const [soFar, first] = isFinished({ state })
          ? ["", ""]
          : [" so far", `let it come to its end (it is ${state}), or `];
        throw mistake(
          `${directory} has the orders of ${recorded} epochs${soFar}, ${wanted} are wanted: ${first}lower epochs`,
        );
      }
      if (!keepsOrders(files)) throw mistake(`${directory} kept no orders, only their hashes (record.orders: hash)`);
      if (recordedOn !== dataset) {
        throw mistake(`${directory} is an order of dataset ${recordedOn}, this arm trains on ${dataset}`);
      }
      const parts = replayed.filter((run) => run.directory === directory).map(({ part }) => part);
      const lacking = trainedOn && parts.find((part) => !isWithin(trainedOn, part));
      if (trainedOn !== undefined && lacking !== undefined) {
        throw mistake(
          `${directory} was trained on dataset: { ${partText(trainedOn)} }, this arm trains on { ${partText(lacking)} }, ` +
            "which lacks samples of it: say the same, or replay a run of this part",
        );
      }
      this.#readAll(directory, wanted);
      const lack = budget && whyTooLittle(workOf(directory, files), budget);
      if (lack !== undefined) throw mistake(lack);
    }
    const first = filesOf(replayed[0].directory);
    return this.#isOneRun ? plansHash(first, epochs) : readMadeBy(first).configHash;
  }

  /** A hash of all that a run with this seed is to be trained on. */
  plansHash(seed: number, epochs: number | undefined): string {
    return plansHash(filesOf(this.#run(seed)), epochs);
  }

  /** All that a run with this seed can be trained on. */
  recordedWork(seed: number): RecordedWork {
    const directory = this.#run(seed);
    return workOf(directory, filesOf(directory));
  }

  /** @throws IbatchError where the run's data are not these, though the config says the same of them. */
  refuseOtherData(seed: number, { dataSha256, dataset }: Pick<Surroundings, "dataSha256" | "dataset">): void {
    const directory = this.#run(seed);
    const { data } = readMadeBy(filesOf(directory));
    if (data === undefined || data.dataSha256 === dataSha256) return;
    if (hashValue(data.dataset) !== hashValue(asRecorded(dataset))) return;
    throw this.#mistake(
      `${directory} was trained on other data (SHA-256 ${data.dataSha256.slice(0, 8)}, now ${dataSha256.slice(0, 8)}): ` +
        "name the data it was made with by --data, or take a run on these",
    );
  }

  definition(seed: number): OrderDefinition<ReplayOptions> {
    const directory = this.#run(seed);
    const { changesObjective } = readMadeBy(filesOf(directory));
    return defineOrder({
      ...REPLAY,
      changesObjective: () => changesObjective,
      coverage: () => "any",
      readsLedger: false,
      ownSizes: true,
      unknownProbabilities: true,
      deviation: "a recorded order may be of any kind, and is the same whatever the seed",
      changesEachEpoch: () => true,
      dependsOnSeed: ({ shuffleWithin, exchange }) => shuffleWithin === "epoch" || exchange !== undefined,
      order({ epoch, random, options: { shuffleWithin, exchange }, ...data }) {
        const asRecorded = readOrder(directory, epoch);
        const recorded = exchange === undefined ? asRecorded : exchanged(asRecorded, data, exchange, random);
        return shuffleWithin === "none" ? recorded : shuffledTogether(recorded, random("order"));
      },
    });
  }

  #run(seed: number, mistake: Mistake = this.#mistake): string {
    const directory = this.#isOneRun ? this.#directory : runInArm(this.#directory, seed);
    if (holdsRun(directory)) return directory;
    const why = whyBlocked(directory);
    if (why !== undefined) throw mistake(`${directory} ${why}`);
    throw mistake(
      `${directory} holds no recorded run; expected the directory of a run (<arm>/seed-<n>), or of an arm with a run ` +
        `of seed ${seed}`,
    );
  }

  /** Damage is found before anything is trained. */
  #readAll(directory: string, epochs: number): void {
    for (let epoch = this.#whole.get(directory) ?? 0; epoch < epochs; epoch++) readOrder(directory, epoch);
    this.#whole.set(directory, Math.max(epochs, this.#whole.get(directory) ?? 0));
  }

  readonly #mistake: Mistake = (what) => usageError(`${this.#where}: ${what}`);
}

const plansHash = (files: RunFiles, epochs = countOrders(files)): string =>
  hashValue(Array.from({ length: epochs }, (_, epoch) => planOf(files, epoch).planSha256));

function workOf(directory: string, files: RunFiles): RecordedWork {
  const ends = Array.from({ length: countOrders(files) }, (_, epoch) => planOf(files, epoch).offsets);
  const sum = (of: (offsets: readonly number[]) => number) => ends.reduce((total, offsets) => total + of(offsets), 0);
  return {
    ...{ directory, epochs: ends.length },
    batches: sum((offsets) => offsets.length - 1),
    samples: sum((offsets) => offsets[offsets.length - 1]),
  };
}

/** What is to be trained by the recorded orders. `mistake`: an error at the place of the arm that replays. */
interface Replaying {
  readonly runs: readonly ReplayingRun[];
  /** Undefined: a budget says the length, and all that are recorded are looked at. */
  readonly epochs: number | undefined;
  /** Of each run; undefined: none, or the order has a part of it that is not known here. */
  readonly budget: Budget | undefined;
  readonly dataset: string;
  readonly mistake: Mistake;
}

interface ReplayingRun {
  /** The run's own, by which directories are named; not one that its order may draw by. */
  readonly seed: number;
  readonly part: TrainedPart;
}

type Mistake = (what: string) => IbatchError;

/** Each sample replaced by the one that it is exchanged for, whatever the epoch; weights, sizes and repeats stay. */
function exchanged(
  { indices, ...recorded }: RecordedOrder,
  { eligible, labels, n }: Pick<OrderContext<unknown>, "eligible" | "labels" | "n">,
  exchange: "samples" | "within-class",
  random: OrderContext<unknown>["random"],
): RecordedOrder {
  const other = consecutive(n);
  const numbers = random("order", ONCE);
  for (const group of exchange === "samples" ? [eligible] : byClass(eligible, labels)) {
    const others = shuffled(group, numbers);
    for (const [at, sample] of group.entries()) other[sample] = others[at];
  }
  return { ...recorded, indices: indices.map((sample) => other[sample]) };
}

const byClass = (eligible: Readonly<Uint32Array>, labels: Readonly<Uint32Array>): Uint32Array[] =>
  [...new Set(labels)].sort((a, b) => a - b).map((label) => eligible.filter((sample) => labels[sample] === label));

/** The places of the samples exchanged, each with its weight; the batches' sizes stay. */
function shuffledTogether({ indices, offsets, weights }: RecordedOrder, random: Random): OrderResult {
  const from = shuffled(consecutive(indices.length), random);
  return {
    indices: from.map((place) => indices[place]),
    offsets,
    ...(weights && { weights: new Float32Array(from.length).map((_, at) => weights[from[at]]) }),
  };
}
