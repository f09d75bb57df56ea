/** What an experiment keeps of a dataset that its runs trained on: names and labels, once, whichever arms share it. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { usageError } from "../errors.js";
import { bytesOf, readU32 } from "./array-file.js";
import { makeDirectory } from "./directory.js";
import { writeWhole, writeWholeJson } from "./whole-file.js";

/** The folder of all datasets, beside the arms' directories. */
export const DATASETS = "datasets";

const description = z.object({
  name: z.string(),
  dataSha256: z.string(),
  classNames: z.array(z.string()),
  /** C, H, W */
  inputShape: z.array(z.number()),
});

/** `dataset.json`, and the labels beside it. */
export interface RecordedDataset extends z.infer<typeof description> {
  /** [n] */
  readonly labels: Uint32Array;
  /** [testCount] */
  readonly testLabels: Uint32Array;
}

const FILES = { labels: "labels.u32", testLabels: "test-labels.u32" };

/** Of an experiment's directory: `datasets/<first 8 of the data's SHA-256>`. */
export const datasetDirectory = (experiment: string, dataSha256: string): string =>
  join(experiment, DATASETS, dataSha256.slice(0, 8));

/** Writes it, unless it is there. */
export function writeDataset(experiment: string, { labels, testLabels, ...described }: RecordedDataset): void {
  const directory = datasetDirectory(experiment, described.dataSha256);
  if (existsSync(join(directory, "dataset.json"))) return;
  makeDirectory(directory);
  writeWhole(join(directory, FILES.labels), bytesOf(labels));
  writeWhole(join(directory, FILES.testLabels), bytesOf(testLabels));
  writeWholeJson(join(directory, "dataset.json"), described); // last: it says that the others are there
}

/**
 * Undefined where none was recorded.
 * @throws IbatchError when it is damaged.
 */
export function readDataset(experiment: string, dataSha256: string): RecordedDataset | undefined {
  const directory = datasetDirectory(experiment, dataSha256);
  const path = join(directory, "dataset.json");
  if (!existsSync(path)) return undefined;
  try {
    return {
      ...description.parse(JSON.parse(readFileSync(path, "utf8"))),
      labels: readU32(join(directory, FILES.labels)),
      testLabels: readU32(join(directory, FILES.testLabels)),
    };
  } catch (error) {
    throw usageError(`${directory} is damaged: remove it; the next run on this data writes it again`, { cause: error });
  }
}
