/** Test predictions of every run that recorded them, against the test labels. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { RecordedDataset } from "../../record/dataset-record.js";
import type { Confusion } from "./data.js";
import { readClasses } from "./read-classes.js";

/** A run that is done, and where it lies. */
export interface DoneRun {
  readonly seed: number;
  readonly directory: string;
  /** Epochs that it recorded. */
  readonly epochs: readonly number[];
}

export function readConfusion(
  runs: readonly DoneRun[],
  { testLabels, classNames }: RecordedDataset,
): Confusion | undefined {
  const recorded = runs
    .map(({ seed, directory }) => ({ seed, path: join(directory, "test-predictions.u32") }))
    .filter(({ path }) => existsSync(path));
  if (recorded.length === 0) return undefined;
  const counts = classNames.map(() => new Array<number>(classNames.length).fill(0));
  for (const { path } of recorded) {
    const predictions = readClasses(path, { count: testLabels.length, classes: classNames.length });
    for (const [at, label] of testLabels.entries()) counts[label][predictions[at]] += 1;
  }
  return { seeds: recorded.map(({ seed }) => seed), counts };
}
