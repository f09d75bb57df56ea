/** TensorBoard's event files, one run a directory; `py_report/tensorboard_export.py` writes them. */
import { resolve } from "node:path";
import { packageRoot } from "../package-root.js";
import { findPython } from "../process/find-python.js";
import { runPython } from "../process/python-program.js";
import type { EpochMetrics } from "../record/epoch-metrics.js";
import type { RecordedNumber } from "../record/number.js";
import type { Exported, ExportRequest } from "./contract.js";
import { MEASURES, type Measure, type RecordedEpoch } from "./epoch-measures.js";
import { CONFIGURED_PARTS, configuredName, type ExportedRun, readExportedRuns } from "./exported-runs.js";
import { checkedPlace, ownPlace } from "./place.js";

/** Importing torch from a cold disk can take a minute. */
const LIMIT_SECONDS = 600;

export async function exportTensorboard({ directory, out, python, signal }: ExportRequest): Promise<Exported> {
  const place = out === undefined ? ownPlace(directory, "tensorboard") : checkedPlace(directory, out);
  const { runs, leftOut } = readExportedRuns(directory);
  await runPython({
    python: findPython(python),
    packageRoot,
    module: "py_report.tensorboard_export",
    input: JSON.stringify({ out: resolve(place), metrics: ["test/accuracy", "test/loss"], runs: runs.map(toEvents) }),
    limitSeconds: LIMIT_SECONDS,
    signal,
  });
  return { written: `${place}\n`, leftOut };
}

interface Point {
  readonly step: number;
  readonly wallTime: number;
  readonly value: RecordedNumber;
}

/** As `Run` in py_report/tensorboard_export.py. */
interface RunEvents {
  readonly arm: string;
  readonly seed: number;
  /** Unix time, seconds. */
  readonly startedAt: number;
  readonly hyperparameters: Readonly<Record<string, string | number>>;
  readonly scalars: readonly { readonly tag: string; readonly points: readonly Point[] }[];
}

const TAGGED: readonly Measure[] = [{ name: "epoch", of: ({ metrics }: RecordedEpoch) => metrics.epoch }, ...MEASURES];

/** Every time is of the record, so that a second export is of equal events. */
function toEvents({ arm, seed, document, epochs }: ExportedRun): RunEvents {
  const startedAt = document.startedAt === undefined ? 0 : Date.parse(document.startedAt) / 1000;
  const ends = endsOf(epochs, startedAt);
  const scalars = TAGGED.map((measure) => ({
    tag: measure.name,
    points: epochs.flatMap((epoch, at) => [
      ...pointsWithin(measure, epoch.metrics, [ends[at - 1] ?? startedAt, ends[at]]),
      ...pointAt(epoch.metrics.step, ends[at], measure.of(epoch)),
    ]),
  }));
  const parts = CONFIGURED_PARTS.map((part) => [part, configuredName(document, part)]);
  return {
    arm,
    seed,
    startedAt,
    hyperparameters: { arm, seed, ...Object.fromEntries(parts.filter(([, name]) => name !== undefined)) },
    scalars: scalars.filter(({ points }) => points.length > 0),
  };
}

const pointAt = (step: number, wallTime: number, value: RecordedNumber | undefined): Point[] =>
  value === undefined ? [] : [{ step, wallTime, value }];

/** Evaluations before the epoch's end: when is not on record, and samples stand for it. */
function pointsWithin(
  { within }: Measure,
  { within: points = [], samples }: EpochMetrics,
  [start, end]: [number, number],
): Point[] {
  if (within === undefined) return [];
  return points.flatMap((point) =>
    pointAt(point.step, start + ((end - start) * point.samples) / samples, within(point)),
  );
}

/** When each epoch ended: the start and the seconds of the epochs so far. */
function endsOf(epochs: readonly RecordedEpoch[], startedAt: number): number[] {
  let end = startedAt;
  return epochs.map(({ timings }) => {
    end += timings?.totalSeconds ?? 0;
    return end;
  });
}
