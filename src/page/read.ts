/** Reads a run directory, also one that is half finished, into what the page is made from. */
import { IbatchError } from "../errors.js";
import { type RecordedDataset, readDataset } from "../record/dataset-record.js";
import { readValidation } from "../record/validation-record.js";
import { type RunOnRecord, readExperiment } from "../results/recorded-experiment.js";
import { countConfusion, type DoneRun } from "./count-confusion.js";
import type { ArmData, ReportData } from "./data.js";
import { exampleOf } from "./example-run.js";
import { hardSamplesOf } from "./hard-samples.js";

/**
 * What is damaged is left out, and said so.
 * @throws IbatchError when the directory holds no experiment, or `experiment.json` is damaged.
 */
export function readReportData(directory: string, experiment = readExperiment(directory)): ReportData {
  const { document, planned, runs, damaged } = experiment;
  const reading = new Reading(damaged.map(({ damage }) => damage));
  const datasets = readDatasets(directory, runs, reading);
  const arms = Object.entries(planned.arms).map(([name, { epochs, order }]) => {
    const own = runs.filter(({ arm }) => arm === name);
    const most = Math.max(0, ...own.map(({ metrics }) => metrics.length));
    return readArm(
      { arm: name, epochs: epochs ?? most, changesObjective: order.changesObjective, runs: own },
      datasets,
      reading,
    );
  });
  const baseline = arms.filter(({ data }) => data.arm === planned.baseline);
  return {
    ...document,
    commit: document.commit,
    baseline: planned.baseline,
    seeds: planned.seeds,
    arms: arms.map(({ data }) => data),
    validation: reading.attempt(() => readValidation(directory)),
    samples: firstFound(
      [...baseline, ...arms],
      ({ data, done, dataset }) => dataset && reading.attempt(() => hardSamplesOf(data.arm, done, dataset)),
    ),
    leftOut: reading.leftOut,
  };
}

/** What could not be read, each once. */
class Reading {
  readonly #leftOut: Set<string>;

  constructor(leftOut: readonly string[]) {
    this.#leftOut = new Set(leftOut);
  }

  get leftOut(): string[] {
    return [...this.#leftOut];
  }

  /** Undefined where it is damaged. */
  attempt<T>(read: () => T): T | undefined {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof IbatchError)) throw error;
      this.#leftOut.add(error.message);
      return undefined;
    }
  }
}

/** By the hash of their data; those that are on record. */
function readDatasets(
  directory: string,
  runs: readonly RunOnRecord[],
  reading: Reading,
): ReadonlyMap<string, RecordedDataset> {
  const hashes = new Set(runs.flatMap(({ document }) => document.surroundings?.dataSha256 ?? []));
  return new Map(
    [...hashes].flatMap((hash) => {
      const dataset = reading.attempt(() => readDataset(directory, hash));
      return dataset === undefined ? [] : [[hash, dataset] as const];
    }),
  );
}

interface ReadArm {
  readonly data: ArmData;
  readonly dataset: RecordedDataset | undefined;
  readonly done: readonly DoneRun[];
}

function readArm(
  arm: Pick<ArmData, "arm" | "epochs" | "changesObjective"> & { readonly runs: readonly RunOnRecord[] },
  datasets: ReadonlyMap<string, RecordedDataset>,
  reading: Reading,
): ReadArm {
  const { runs } = arm;
  const datasetOf = ({ document }: RunOnRecord) => datasets.get(document.surroundings?.dataSha256 ?? "");
  const trained = runs.find((run) => run.document.state === "done") ?? runs.find((run) => run.metrics.length > 0);
  const dataset = trained && datasetOf(trained);
  const done = runs
    .filter((run) => run.document.state === "done" && datasetOf(run) === dataset)
    .map(({ seed, files, metrics }) => ({ seed, files, epochs: metrics.map(({ epoch }) => epoch) }));
  return {
    data: {
      ...arm,
      classNames: dataset?.classNames,
      example: trained && reading.attempt(() => exampleOf(trained, dataset)),
      confusion: dataset && reading.attempt(() => countConfusion(done, dataset)),
    },
    dataset,
    done,
  };
}

/** What the first of them has, of those that have it. */
function firstFound<T, R>(items: readonly T[], find: (item: T) => R | undefined): R | undefined {
  for (const item of items) {
    const found = find(item);
    if (found !== undefined) return found;
  }
  return undefined;
}
