/** Test predictions of every run that recorded them, against the test labels. */
import type { RecordedDataset } from "../../record/dataset-record.js";
import { TEST_PREDICTIONS } from "../../record/run-files.js";
import type { RunFiles } from "../../record/verified-files.js";
import type { Confusion } from "./data.js";
import { readClasses } from "./read-classes.js";

/** A run that is done. */
export interface DoneRun {
  readonly seed: number;
  readonly files: RunFiles;
  /** Epochs that it recorded. */
  readonly epochs: readonly number[];
}

export function readConfusion(
  runs: readonly DoneRun[],
  { testLabels, classNames }: RecordedDataset,
): Confusion | undefined {
  const recorded = runs.filter(({ files }) => files.has(TEST_PREDICTIONS));
  if (recorded.length === 0) return undefined;
  const counts = classNames.map(() => new Array<number>(classNames.length).fill(0));
  const [count, classes] = [testLabels.length, classNames.length];
  for (const { files } of recorded) {
    const predictions = readClasses(files, { name: TEST_PREDICTIONS, count, classes, maySkip: false });
    for (const [at, label] of testLabels.entries()) counts[label][predictions[at]] += 1;
  }
  return { seeds: recorded.map(({ seed }) => seed), counts };
}
