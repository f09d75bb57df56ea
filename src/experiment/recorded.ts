/** What a run directory holds from before, checked before anything is added to it. */
import type { ExperimentRecord } from "../record/experiment-record.js";
import { type EpochMetrics, isFinished, type RunDocument, type RunRecord } from "../record/run-record.js";
import { modelOf } from "./other-code.js";
import type { MadeIn } from "./surroundings.js";

/** A run on record, of whatever arm and seed. */
export interface RecordedRun {
  readonly arm: string;
  readonly seed: number;
  readonly record: RunRecord;
  readonly document: RunDocument;
}

/** How a run ended, with its recorded epochs. */
export interface FinishedRun {
  readonly document: RunDocument;
  readonly metrics: readonly EpochMetrics[];
}

/** Every run on record, also of arms and seeds that the command does not ask for. */
export function readRecorded(record: ExperimentRecord): RecordedRun[] {
  return record.recordedRuns().flatMap(({ arm, seed, record: run }) => {
    const document = run.read();
    return document === undefined ? [] : [{ arm, seed, record: run, document }];
  });
}

/**
 * The run as a result; undefined when it did not come to its end and is to be done again.
 * @throws IbatchError when it says that it is done and its metrics say otherwise.
 */
export function finishedRun({ record, document }: RecordedRun, epochs: number): FinishedRun | undefined {
  if (!isFinished(document)) return undefined;
  const metrics = record.readMetrics();
  const lacks = document.state === "done" ? lacking(document, metrics, epochs) : undefined;
  if (lacks !== undefined) throw record.damaged(`${record.directory} is damaged (run.json says done, but ${lacks})`);
  return { document, metrics };
}

function lacking({ surroundings }: RunDocument, metrics: readonly EpochMetrics[], epochs: number): string | undefined {
  if (metrics.length !== epochs) return `metrics.jsonl has ${metrics.length} of ${epochs} epochs`;
  const tested = metrics.at(-1)?.test !== undefined || surroundings?.testCount === 0;
  return tested ? undefined : "its last epoch has no measurement on the test set";
}

/** In what surroundings the results on record were made. */
export function madeIn(recorded: readonly RecordedRun[]): MadeIn[] {
  return recorded.flatMap(({ arm, seed, record, document }) => {
    if (!isFinished(document)) return [];
    const { surroundings } = document;
    if (surroundings === undefined) throw record.damaged(`${record.directory}/run.json lacks the surroundings`);
    return [{ arm, seed, directory: record.directory, ...modelOf(document.config.model), surroundings }];
  });
}
