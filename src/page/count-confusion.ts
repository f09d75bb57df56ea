/** Test predictions of every run that recorded them, against the test labels. */
import type { RecordedDataset } from "../record/dataset-record.js";
import { testPredictionsOf } from "../record/recorded-signals.js";
import type { RunFiles } from "../record/verified-files.js";
import type { Confusion } from "./data.js";

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
  const counts = classNames.map(() => new Array<number>(classNames.length).fill(0));
  for (const { predictions } of recorded) {
    for (const [at, label] of testLabels.entries()) counts[label][predictions[at]] += 1;
  }
  return { seeds: recorded.map(({ seed }) => seed), counts };
}
