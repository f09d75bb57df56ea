/** Test predictions of every run that recorded them, against the test labels. */
import type { RecordedDataset } from "../record/dataset-record.js";
import { testPredictionsOf } from "../record/recorded-signals.js";
import type { RunFiles } from "../record/verified-files.js";
import { type ConfusedPair, type Confusion, MOST_ROWS } from "./data.js";

/** A run that is done. */
export interface DoneRun {
  readonly seed: number;
  readonly files: RunFiles;
  /** Epochs that it recorded. */
  readonly epochs: readonly number[];
}

export function countConfusion(
  runs: readonly DoneRun[],
  { testLabels, classNames }: RecordedDataset,
): Confusion | undefined {
  const labelled = { count: testLabels.length, classes: classNames.length };
  const recorded = runs.flatMap(({ seed, files }) => {
    const predictions = testPredictionsOf(files, labelled);
    return predictions === undefined ? [] : [{ seed, predictions }];
  });
  if (recorded.length === 0) return undefined;
  const seeds = recorded.map(({ seed }) => seed);
  const all = recorded.map(({ predictions }) => predictions);
  if (classNames.length > MOST_ROWS) return { seeds, counts: undefined, pairs: mostConfused(all, testLabels) };
  const counts = classNames.map(() => new Array<number>(classNames.length).fill(0));
  for (const predictions of all) {
    for (const [at, label] of testLabels.entries()) counts[label][predictions[at]] += 1;
  }
  return { seeds, counts, pairs: [] };
}

const SHOWN_PAIRS = 20;

/** Only what came is counted: a square of 40,000 classes does not fit into memory. */
function mostConfused(all: readonly Uint32Array[], labels: Uint32Array): ConfusedPair[] {
  const pairs = new Map<string, ConfusedPair>();
  for (const predictions of all) {
    for (const [at, label] of labels.entries()) {
      const predicted = predictions[at];
      if (predicted === label) continue;
      const key = `${label} ${predicted}`;
      pairs.set(key, { label, predicted, times: (pairs.get(key)?.times ?? 0) + 1 });
    }
  }
  return [...pairs.values()]
    .sort((a, b) => b.times - a.times || a.label - b.label || a.predicted - b.predicted)
    .slice(0, SHOWN_PAIRS);
}
