/** The recorded orders of every run, with a module that any PyTorch loop can import: RecordedOrder, a batch sampler. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { usageError } from "../../errors.js";
import { packageRoot } from "../../package-root.js";
import { writeExported } from "../../record/export-files.js";
import { numbered } from "../../record/numbered.js";
import type { ExportRequest } from "./contract.js";
import { readExportedRuns } from "./exported-runs.js";
import { checkedPlace, ownPlace } from "./place.js";

const MODULE = "recorded_order.py";

/** Files are copied byte for byte; runs that kept hashes alone have nothing to be taken home. */
export async function exportTorch({ directory, out }: ExportRequest): Promise<string> {
  const place = out === undefined ? ownPlace(directory, "torch") : checkedPlace(directory, out);
  const { runs } = readExportedRuns(directory);
  const orders = runs.flatMap(({ arm, seed, epochs }) =>
    epochs.flatMap(({ metrics: { epoch } }) => orderFiles(directory, join(arm, `seed-${seed}`, "orders"), epoch)),
  );
  if (orders.length === 0) {
    throw usageError(
      `${directory} holds no orders: its runs trained no epoch, or were recorded with \`record: { orders: hash }\`, which ` +
        "keeps hashes alone; do them again with orders: full",
    );
  }
  for (const file of orders) writeExported(join(place, file), readFileSync(join(directory, file)));
  writeExported(join(place, MODULE), readFileSync(join(packageRoot, "py_validate", MODULE)));
  return `${join(place, MODULE)}\n`;
}

/** Of an epoch whose indices are on record: indices, what cuts them into batches, and weights where there are any. */
function orderFiles(directory: string, orders: string, epoch: number): string[] {
  const name = join(orders, numbered(epoch));
  if (!existsSync(join(directory, `${name}.u32`))) return [];
  return [`${name}.u32`, `${name}.json`, `${name}.weights.f32`].filter((file) => existsSync(join(directory, file)));
}
