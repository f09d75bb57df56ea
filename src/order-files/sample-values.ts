/** One value a sample of a run recorded earlier, from the arrays that it left. */
import type { IbatchError } from "../errors.js";
import type { WantedScores } from "../orders/contract.js";
import { finalLossesIn, NOT_SEEN, predictionsIn, signalIn } from "../record/recorded-signals.js";
import { FINAL_LOSSES, predictionFile, signalFile } from "../record/run-files.js";
import type { RunFiles } from "../record/verified-files.js";

export type Mistake = (what: string) => IbatchError;

export type Values = Float32Array | Uint32Array;

interface Recorded {
  readonly epochs: number;
  readonly files: RunFiles;
}

/** All arrays of a run from which its values are made. */
export function arraysOf({ files, epochs }: Recorded, wanted: WantedScores, mistake: Mistake): Values[] {
  if (wanted.epoch !== null && wanted.epoch >= epochs) {
    throw mistake(
      `${files.directory} has ${epochs} epochs, and epoch ${wanted.epoch} is wanted (the first is 0): name one of them`,
    );
  }
  const { of } = wanted;
  if (of === "irreducible") return [finalLosses(files, mistake)];
  const all = Array.from({ length: epochs }, (_, epoch) => epoch);
  const arrays = (wanted.epoch === null ? all : [wanted.epoch]).map((epoch) => arrayOf(files, of, epoch, mistake));
  const odd = arrays.find(({ length }) => length !== arrays[0].length);
  if (odd === undefined) return arrays;
  throw mistake(`${files.directory} has ${arrays[0].length} and ${odd.length} values in two epochs: take other runs`);
}

function finalLosses(files: RunFiles, mistake: Mistake): Float32Array {
  const losses = finalLossesIn(files);
  if (losses !== undefined) return losses;
  throw mistake(`${files.directory} did not record ${FINAL_LOSSES}: record runs with record: { scoreAll: true }`);
}

function arrayOf(
  files: RunFiles,
  of: Exclude<WantedScores["of"], "irreducible">,
  epoch: number,
  mistake: Mistake,
): Values {
  const values = of === "forgetting" ? predictionsIn(files, epoch) : signalIn(files, of, epoch);
  if (values !== undefined) return values;
  const name = of === "forgetting" ? predictionFile(epoch) : signalFile(of, epoch);
  const remedy =
    of === "forgetting" || of === "loss"
      ? "record runs with record: { signals: full }"
      : `record runs with record: { extraSignals: [${of}] }, and signals: full, or take an arm whose order reads ${of}`;
  throw mistake(`${files.directory} did not record ${name}: ${remedy}`);
}

export function valuesOf(
  arrays: readonly Values[],
  { run, wanted, labels }: { run: Recorded; wanted: WantedScores; labels: Readonly<Uint32Array> },
  mistake: Mistake,
): Float32Array {
  if (arrays[0].length !== labels.length) {
    throw mistake(
      `${run.files.directory} has ${arrays[0].length} samples, the dataset has ${labels.length}: take other runs`,
    );
  }
  if (wanted.of === "forgetting") return forgettingEvents(arrays.filter(isPredictions), labels);
  return meanOf(
    arrays.filter((values) => values instanceof Float32Array),
    labels.length,
  );
}

const isPredictions = (values: Values): values is Uint32Array => values instanceof Uint32Array;

/** Over those that know a sample; NaN where none does. */
export function meanOf(columns: readonly Float32Array[], n: number): Float32Array {
  return new Float32Array(n).map((_, sample) => {
    let sum = 0;
    let count = 0;
    for (const column of columns) {
      if (Number.isNaN(column[sample])) continue;
      sum += column[sample];
      count += 1;
    }
    return count === 0 ? Number.NaN : sum / count;
  });
}

/**
 * How often each sample was right at a visit and wrong at the next one; of one that was never right, the number of epochs: more
 * than any other can have (Toneva et al. 2019, and their code, which adds these up over runs). NaN where it was never seen.
 */
export function forgettingEvents(
  epochs: readonly Readonly<Uint32Array>[],
  labels: Readonly<Uint32Array>,
): Float32Array {
  return new Float32Array(labels.length).map((_, sample) => {
    let [isSeen, wasRight, isLearned, events] = [false, false, false, 0];
    for (const predictions of epochs) {
      if (predictions[sample] === NOT_SEEN) continue;
      const isRight = predictions[sample] === labels[sample];
      if (wasRight && !isRight) events += 1;
      [isSeen, wasRight, isLearned] = [true, isRight, isLearned || isRight];
    }
    if (!isSeen) return Number.NaN;
    return isLearned ? events : epochs.length;
  });
}
