/** The recorded orders of every run, with a module that any PyTorch loop can import: RecordedOrder, a batch sampler. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { IbatchError, usageError } from "../errors.js";
import { packageRoot } from "../package-root.js";
import { readDataset } from "../record/dataset-record.js";
import { writeExported } from "../record/export-files.js";
import { sha256 } from "../record/hash.js";
import { orderFilesOf, type RecordedFile, trainedLabelsFiles } from "../record/recorded-orders.js";
import { runDirectory } from "../record/run-places.js";
import { wholeJson } from "../record/write-file.js";
import type { Exported, ExportRequest } from "./contract.js";
import { type ExportedRun, readExportedRuns } from "./exported-runs.js";
import { checkedPlace, ownPlace } from "./place.js";

const MODULE = "recorded_order.py";

/** Files are copied byte for byte; runs that kept hashes alone have nothing to be taken home. */
export async function exportTorch({ directory, out }: ExportRequest): Promise<Exported> {
  const place = out === undefined ? ownPlace(directory, "torch") : checkedPlace(directory, out);
  const { runs, leftOut } = readExportedRuns(directory);
  const packed = runs.map((run) => ({ ...run, ...packedOrders(directory, run) }));
  const damaged = [...leftOut, ...packed.flatMap(({ damage }) => damage ?? [])];
  const withOrders = packed.filter(({ orders }) => orders.length > 0);
  if (withOrders.length === 0) throw nothingToExport(directory, damaged);
  for (const { arm, seed, dataset, orders } of withOrders) {
    const run = runDirectory(place, arm, seed);
    for (const { name, bytes } of orders) writeExported(join(run, name), bytes);
    if (dataset !== undefined) writeExported(join(run, "dataset.json"), wholeJson(dataset));
  }
  writeExported(join(place, MODULE), readFileSync(join(packageRoot, "py_validate", MODULE)));
  return { written: `${join(place, MODULE)}\n`, leftOut: [...new Set(damaged)] };
}

function nothingToExport(directory: string, damaged: readonly string[]): IbatchError {
  if (damaged.length > 0) return usageError(`${directory} holds no order that is whole: ${damaged[0]}`);
  return usageError(
    `${directory} holds no orders: its runs trained no epoch, or were recorded with \`record: { orders: hash }\`, which ` +
      "keeps hashes alone; do them again with orders: full",
  );
}

interface Packed {
  readonly orders: readonly RecordedFile[];
  /** Whose labels a user's are compared with. */
  readonly dataset?: object | undefined;
  readonly damage?: string;
}

/** Those of a run, all of them checked; none where one is damaged, or what they are to be compared with. */
function packedOrders(directory: string, { epochs, files, document }: ExportedRun): Packed {
  const hash = document.surroundings?.dataSha256;
  try {
    const orders = epochs.flatMap(({ metrics: { epoch } }) => orderFilesOf(files, epoch));
    const labels = orders.length > 0 ? trainedLabelsFiles(files) : [];
    return {
      orders: [...orders, ...labels],
      dataset: hash === undefined ? undefined : describeDataset(directory, hash),
    };
  } catch (error) {
    if (!(error instanceof IbatchError)) throw error;
    return { orders: [], damage: error.message };
  }
}

/** As recorded_order.py checks the user's against it. */
function describeDataset(directory: string, dataSha256: string) {
  const dataset = readDataset(directory, dataSha256);
  if (dataset === undefined) return undefined;
  const { name, labels } = dataset;
  return { name, n: labels.length, labelsSha256: sha256(labels), dataSha256 };
}
