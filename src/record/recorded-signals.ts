/** Reads back the arrays that have a value a sample: signals, predicted classes. */
import { damage, readBytes, Unreadable, unreadable, wholeValues } from "./read-file.js";
import { filesOf } from "./recorded-orders.js";
import {
  FINAL_LOSSES,
  predictionFile,
  type SignalName,
  signalFile,
  TEST_PREDICTIONS,
  TRAINED_LABELS,
} from "./run-files.js";
import type { RunFiles } from "./verified-files.js";

/** In place of a predicted class: the sample was not seen. */
export const NOT_SEEN = 2 ** 32 - 1;

/**
 * A signal of an epoch in a run's directory: float32 [n] in index order, NaN where the sample was not seen.
 * @throws IbatchError when it is not there, or damaged.
 */
export const readSignal = (runDirectory: string, name: SignalName, epoch: number): Float32Array =>
  filesOf(runDirectory).f32(signalFile(name, epoch));

/** As `readSignal`, for a file that the user names. */
export function readSignalFile(path: string): Float32Array {
  try {
    return new Float32Array(wholeValues(readBytes(path)));
  } catch (error) {
    if (error instanceof Unreadable) throw unreadable(path, error, "name another file");
    throw error;
  }
}

/**
 * Losses of an epoch's training passes, float32 [n] in index order, NaN where the sample was not seen. Undefined where
 * they are not on record. `n`: of the dataset, where that is known.
 * @throws IbatchError when they are damaged, as do all below.
 */
export function lossesOf(files: RunFiles, epoch: number, n?: number): Float32Array | undefined {
  const name = signalFile("loss", epoch);
  const losses = signalIn(files, "loss", epoch);
  if (losses === undefined || n === undefined || losses.length === n) return losses;
  throw files.damaged(name, damage(`it has ${losses.length} values, its dataset has ${n} samples on record`));
}

/** As `readSignal`; undefined where it is not on record. */
export function signalIn(files: RunFiles, signal: SignalName, epoch: number): Float32Array | undefined {
  const name = signalFile(signal, epoch);
  return files.has(name) ? files.f32(name) : undefined;
}

/** Of every sample of the training set, by the final weights; undefined as above. */
export const finalLossesIn = (files: RunFiles): Float32Array | undefined =>
  files.has(FINAL_LOSSES) ? files.f32(FINAL_LOSSES) : undefined;

/** As `predictionsOf`, of a dataset of which nothing is known. */
export function predictionsIn(files: RunFiles, epoch: number): Uint32Array | undefined {
  const name = predictionFile(epoch);
  return files.has(name) ? files.u32(name) : undefined;
}

interface Labelled {
  /** Samples. */
  readonly count: number;
  readonly classes: number;
}

/** The class that an epoch's training passes predicted of each sample, `NOT_SEEN` where it was not; undefined as above. */
export function predictionsOf(files: RunFiles, epoch: number, of: Labelled): Uint32Array | undefined {
  const name = predictionFile(epoch);
  return files.has(name) ? classesIn(files, name, { ...of, maySkip: true }) : undefined;
}

/** The class that the last evaluation predicted of each test sample; undefined as above. */
export function testPredictionsOf(files: RunFiles, of?: Labelled): Uint32Array | undefined {
  if (!files.has(TEST_PREDICTIONS)) return undefined;
  return of === undefined ? files.u32(TEST_PREDICTIONS) : classesIn(files, TEST_PREDICTIONS, { ...of, maySkip: false });
}

/** Labels that were trained on, where they are not the dataset's; undefined as above. */
export const trainedLabelsOf = (files: RunFiles, of: Labelled): Uint32Array | undefined =>
  files.has(TRAINED_LABELS) ? classesIn(files, TRAINED_LABELS, { ...of, maySkip: false }) : undefined;

function classesIn(
  files: RunFiles,
  name: string,
  { count, classes, maySkip }: Labelled & { readonly maySkip: boolean },
): Uint32Array {
  const values = files.u32(name);
  if (values.length !== count) {
    throw files.damaged(name, damage(`it has ${4 * values.length} bytes, ${count} samples need ${4 * count}`));
  }
  const odd = values.find((value) => value >= classes && !(maySkip && value === NOT_SEEN));
  if (odd !== undefined) throw files.damaged(name, damage(`it has a class ${odd}, and there are ${classes}`));
  return values;
}
