/** What an experiment keeps of a dataset that its runs trained on: names and labels, once, whichever arms share it. */
import { join } from "node:path";
import { z } from "zod";
import { usageError } from "../errors.js";
import { whyBlocked } from "./blocked.js";
import { makeDirectory } from "./directory.js";
import { sha256 } from "./hash.js";
import { damage, isThere, readU32, Unreadable, unreadable } from "./read-file.js";
import { readSealed, writeSealed } from "./sealed.js";
import { bytesOf, writeWhole } from "./write-file.js";

/** The folder of all datasets, beside the arms' directories. */
export const DATASETS = "datasets";

const description = z.object({
  name: z.string(),
  dataSha256: z.string(),
  classNames: z.array(z.string()),
  /** C, H, W */
  inputShape: z.array(z.int().min(1)),
});

const document = description.extend({
  /** Of the files beside it; absent in records of before there were such. */
  labelsSha256: z.string().optional(),
  testLabelsSha256: z.string().optional(),
});

/** `dataset.json`, and the labels beside it. */
export interface RecordedDataset extends z.infer<typeof description> {
  /** [n] */
  readonly labels: Uint32Array;
  /** [testCount] */
  readonly testLabels: Uint32Array;
}

const FILES = { document: "dataset.json", labels: "labels.u32", testLabels: "test-labels.u32" };

/** Of an experiment's directory: `datasets/<first 8 of the data's SHA-256>`. */
export const datasetDirectory = (experiment: string, dataSha256: string): string =>
  join(experiment, DATASETS, dataSha256.slice(0, 8));

/** Writes it, unless it is there. */
export function writeDataset(experiment: string, { labels, testLabels, ...described }: RecordedDataset): void {
  if (isWhole(experiment, described.dataSha256)) return;
  const directory = datasetDirectory(experiment, described.dataSha256);
  refuseBlockedDatasets(experiment, directory);
  makeDirectory(directory);
  writeWhole(join(directory, FILES.labels), bytesOf(labels));
  writeWhole(join(directory, FILES.testLabels), bytesOf(testLabels));
  const hashes = { labelsSha256: sha256(labels), testLabelsSha256: sha256(testLabels) };
  const written: z.infer<typeof document> = { ...described, ...hashes };
  writeSealed(join(directory, FILES.document), written); // last: it says that the others are there
}

/** @throws IbatchError where something lies in the place of the folder, or of this dataset's directory in it. */
export function refuseBlockedDatasets(experiment: string, directory = join(experiment, DATASETS)): void {
  for (const path of [join(experiment, DATASETS), directory]) {
    const why = whyBlocked(path);
    if (why !== undefined) throw usageError(`${path} ${why}`);
  }
}

function isWhole(experiment: string, dataSha256: string): boolean {
  try {
    return readDataset(experiment, dataSha256) !== undefined;
  } catch {
    return false;
  }
}

/**
 * Undefined where none was recorded.
 * @throws IbatchError when it is damaged.
 */
export function readDataset(experiment: string, dataSha256: string): RecordedDataset | undefined {
  const directory = datasetDirectory(experiment, dataSha256);
  refuseBlockedDatasets(experiment, directory);
  if (!Object.values(FILES).some((name) => isThere(join(directory, name)))) return undefined;
  const { labelsSha256, testLabelsSha256, ...described } = reading(directory, FILES.document, (path) =>
    readSealed(path, document),
  );
  const classes = described.classNames.length;
  return {
    ...described,
    labels: reading(directory, FILES.labels, (path) => readLabels(path, classes, labelsSha256)),
    testLabels: reading(directory, FILES.testLabels, (path) => readLabels(path, classes, testLabelsSha256)),
  };
}

function readLabels(path: string, classes: number, recorded: string | undefined): Uint32Array {
  const labels = readU32(path);
  const seen = sha256(labels);
  if (recorded !== undefined && seen !== recorded) throw damage(`it hashes to ${seen}, recorded is ${recorded}`);
  const odd = labels.find((label) => label >= classes);
  if (odd !== undefined) throw damage(`it has a label ${odd}, and there are ${classes} classes`);
  return labels;
}

function reading<T>(directory: string, name: string, read: (path: string) => T): T {
  const path = join(directory, name);
  try {
    return read(path);
  } catch (cause) {
    if (!(cause instanceof Unreadable)) throw cause;
    throw unreadable(path, cause, "the next run on this data writes it again");
  }
}
