/** What an order reads of runs recorded earlier: one value a sample, never of the seed under test. */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { usageError } from "../errors.js";
import type { WantedScores } from "../orders/contract.js";
import { whyBlocked } from "../record/blocked.js";
import { hashValue, sha256 } from "../record/hash.js";
import {
  isApart,
  isKnownBy,
  isScoredAsLabelled,
  type MadeBy,
  partText,
  readMadeBy,
  type TrainedPart,
} from "../record/made-by.js";
import { countOrders, filesOf } from "../record/recorded-orders.js";
import type { Surroundings } from "../record/run-document.js";
import { runsIn } from "../record/run-places.js";
import type { RunFiles } from "../record/verified-files.js";
import { arraysOf, type Mistake, meanOf, type Values, valuesOf } from "./sample-values.js";

/** A run whose values are read. */
interface SourceRun {
  /** Of its initial weights. */
  readonly seed: number;
  readonly epochs: number;
  readonly madeBy: MadeBy;
  readonly files: RunFiles;
}

/** For whom they are read. `mistake`: an error at the place of the arm. */
interface ScoredArm {
  /** Of the initial weights of its runs. */
  readonly seeds: readonly number[];
  readonly dataset: string;
  /** Of its runs. */
  readonly parts: readonly TrainedPart[];
  readonly mistake: Mistake;
}

/** The runs of an arm's directory, or one run. */
export class RecordedScores {
  readonly #given: string;
  readonly #directory: string;
  /** Those that were there at first: one that is recorded meanwhile is no part of what was hashed. */
  #found: readonly SourceRun[] | undefined;
  /** SHA-256 of each array, by run and by what is wanted. */
  readonly #hashes = new Map<string, readonly string[]>();
  /** One value a sample of a run, by the same: each run of the experiment takes the mean of some. */
  readonly #values = new Map<string, Float32Array>();

  constructor(directory: string, base: string) {
    this.#given = directory;
    this.#directory = resolve(base, directory);
  }

  /**
   * A hash of all that is read of all runs that are there: the same whichever seeds are trained. What is read later is of these.
   * @throws IbatchError where a seed has no other seed's run; or a run is not done, or damaged, on another dataset or on fewer
   * samples, or did not record what is wanted.
   */
  identity(wanted: WantedScores, { seeds, dataset, parts, mistake }: ScoredArm): string {
    const runs = this.#runs(mistake);
    const alone = seeds.find((seed) => runs.every((run) => run.seed === seed));
    if (alone !== undefined) {
      throw mistake(
        `${this.#directory} has a run of seed ${alone} alone, and no run is chosen for by scores of its own seed: record ` +
          `another seed of that arm, or leave seed ${alone} out`,
      );
    }
    return hashValue(
      runs.map((run) => {
        refuseUnfit(run, wanted, { dataset, parts, mistake });
        return [run.seed, ...this.#hashesOf(run, wanted, mistake)];
      }),
    );
  }

  /**
   * The mean over the runs of other seeds, of those that know a sample; NaN where none does. `labels`: as trained on.
   * @throws IbatchError where a run has other values than `identity` hashed.
   */
  read(seed: number, wanted: WantedScores, labels: Readonly<Uint32Array>): Float32Array {
    const others = this.#runs(this.#refused).filter((run) => run.seed !== seed);
    const scores = meanOf(
      others.map((run) => this.#valuesOf(run, wanted, labels)),
      labels.length,
    );
    if (!scores.every((score) => Number.isNaN(score))) return scores;
    throw this.#refused(`${this.#directory} knows no ${wanted.of} of any sample for seed ${seed}: take other runs`);
  }

  /** @throws IbatchError where the runs' data are not these. */
  refuseOtherData({ dataSha256 }: Pick<Surroundings, "dataSha256">): void {
    for (const { files, madeBy } of this.#runs(this.#refused)) {
      const { data } = madeBy;
      if (data?.dataSha256 === dataSha256) continue;
      const [then, now] = [data?.dataSha256, dataSha256].map((hash) => hash?.slice(0, 8));
      throw this.#refused(
        `${files.directory} was trained on other data (SHA-256 ${then}, now ${now}): take runs on these`,
      );
    }
  }

  #runs(mistake: Mistake): readonly SourceRun[] {
    this.#found ??= this.#find(mistake);
    return this.#found;
  }

  #find(mistake: Mistake): SourceRun[] {
    const directory = this.#directory;
    const why = whyBlocked(directory);
    if (why !== undefined) throw mistake(`${directory} ${why}`);
    if (!existsSync(directory)) throw mistake(`there is no directory ${directory}`);
    const runs = runsIn(directory).map((place) => {
      const files = filesOf(place);
      const { seed, seeds, config } = files.document();
      const epochs = config.epochs ?? countOrders(files); // a budget says nothing of epochs
      return { files, seed: seeds?.model ?? seed, epochs, madeBy: readMadeBy(files) };
    });
    if (runs.length > 0) return runs;
    throw mistake(
      `${directory} holds no recorded run; expected the directory of an arm (<experiment>/<arm>), or of a run ` +
        "(<arm>/seed-<n>)",
    );
  }

  #hashesOf(run: SourceRun, wanted: WantedScores, mistake: Mistake): readonly string[] {
    const key = keyOf(run, wanted);
    const hashes = this.#hashes.get(key) ?? arraysOf(run, wanted, mistake).map((values) => sha256(values));
    this.#hashes.set(key, hashes);
    return hashes;
  }

  #valuesOf(run: SourceRun, wanted: WantedScores, labels: Readonly<Uint32Array>): Float32Array {
    const key = keyOf(run, wanted);
    const values = this.#values.get(key) ?? valuesOf(this.#arrays(run, wanted), { run, wanted, labels }, this.#refused);
    this.#values.set(key, values);
    return values;
  }

  /** Those that were hashed. */
  #arrays(run: SourceRun, wanted: WantedScores): Values[] {
    const hashed = this.#hashes.get(keyOf(run, wanted));
    const arrays = arraysOf(run, wanted, this.#refused);
    if (arrays.every((values, at) => sha256(values) === hashed?.[at])) return arrays;
    throw this.#refused(
      `${run.files.directory} has other values (${wanted.of}) than when this command read the config: put back what was there, ` +
        "or begin another experiment with these",
    );
  }

  readonly #refused: Mistake = (what) => usageError(`from ${this.#given}: ${what}`);
}

const keyOf = ({ files }: SourceRun, { of, epoch }: WantedScores): string =>
  JSON.stringify([files.directory, of, epoch]);

function refuseUnfit(
  { files: { directory }, madeBy }: SourceRun,
  { of }: WantedScores,
  { dataset, parts, mistake }: Omit<ScoredArm, "seeds">,
): void {
  const { state, dataset: recordedOn, part: trainedOn } = madeBy;
  if (state !== "done")
    throw mistake(`${directory} is ${state}, expected done: let it come to its end, or move it away`);
  if (recordedOn !== dataset) {
    throw mistake(`${directory} is of dataset ${recordedOn}, this arm trains on ${dataset}: take runs on that`);
  }
  if (trainedOn === undefined) throw mistake(`${directory} does not say which samples it was trained on: do it again`);
  const isFit = (part: TrainedPart) =>
    of === "irreducible" ? isApart(part, trainedOn) && isScoredAsLabelled(part, trainedOn) : isKnownBy(part, trainedOn);
  const unfit = parts.find((part) => !isFit(part));
  if (unfit === undefined) return;
  const between = `${directory} was trained on dataset: { ${partText(trainedOn)} }, this arm trains on { ${partText(unfit)} }`;
  if (of === "irreducible") {
    throw mistake(
      `${between}; a model's losses are irreducible of samples that it never saw, by the same labels: take runs with ` +
        "`part: a` where this one has `part: b`, the same validation and labelNoise, and with labelNoise no subset here",
    );
  }
  if (unfit.validation !== trainedOn.validation) {
    throw mistake(
      `${between}; samples would be chosen by networks that know others than are held out here: take runs with validation: ` +
        `${unfit.validation}, or say validation: ${trainedOn.validation}`,
    );
  }
  throw mistake(
    `${between}, of which it does not know all, or by other labels: say the same, or take runs of this part`,
  );
}
