/** Reads a run directory, also one that is half finished, into what the page is made from. */
import { type RecordedDataset, readDataset } from "../../record/dataset-record.js";
import { runDirectory } from "../../record/run-places.js";
import { readValidation } from "../../record/validation-record.js";
import { readExperiment } from "../recorded-experiment.js";
import type { ArmData, ReportData, RunData } from "./data.js";
import { readExample } from "./read-arrays.js";
import { type DoneRun, readConfusion } from "./read-confusion.js";
import { readHardSamples } from "./read-samples.js";

/** @throws IbatchError when the directory holds no experiment, or a file of it is damaged. */
export function readReportData(directory: string): ReportData {
  const { document, asked, runs } = readExperiment(directory);
  const datasets = readDatasets(directory, runs);
  const arms = Object.entries(asked.arms).map(([name, { epochs, order }]) => {
    const own = runs.filter(({ arm }) => arm === name);
    return readArm(directory, { arm: name, epochs, changesObjective: order.changesObjective, runs: own }, datasets);
  });
  const baseline = arms.filter(({ data }) => data.arm === asked.baseline);
  return {
    ...document,
    commit: document.commit,
    baseline: asked.baseline,
    seeds: asked.seeds,
    arms: arms.map(({ data }) => data),
    validation: readValidation(directory),
    samples: firstFound(
      [...baseline, ...arms],
      ({ data, done, dataset }) => dataset && readHardSamples(data.arm, done, dataset),
    ),
  };
}

/** By the hash of their data; those that are on record. */
function readDatasets(directory: string, runs: readonly RunData[]): ReadonlyMap<string, RecordedDataset> {
  const hashes = new Set(runs.flatMap(({ document }) => document.surroundings?.dataSha256 ?? []));
  return new Map(
    [...hashes].flatMap((hash) => {
      const dataset = readDataset(directory, hash);
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
  directory: string,
  arm: Pick<ArmData, "arm" | "epochs" | "changesObjective" | "runs">,
  datasets: ReadonlyMap<string, RecordedDataset>,
): ReadArm {
  const { runs } = arm;
  const place = ({ seed }: RunData) => runDirectory(directory, arm.arm, seed);
  const datasetOf = ({ document }: RunData) => datasets.get(document.surroundings?.dataSha256 ?? "");
  const trained = runs.find((run) => run.document.state === "done") ?? runs.find((run) => run.metrics.length > 0);
  const dataset = trained && datasetOf(trained);
  const done = runs
    .filter((run) => run.document.state === "done" && datasetOf(run) === dataset)
    .map((run) => ({ seed: run.seed, directory: place(run), epochs: run.metrics.map(({ epoch }) => epoch) }));
  return {
    data: {
      ...arm,
      classNames: dataset?.classNames,
      example: trained && readExample(place(trained), trained, dataset),
      confusion: dataset && readConfusion(done, dataset),
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
