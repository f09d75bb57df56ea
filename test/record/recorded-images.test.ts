import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { imagesOf } from "../../src/record/recorded-images.js";
import { filesOf } from "../../src/record/recorded-orders.js";
import { type RecordedImages, RunRecord } from "../../src/record/run-record.js";
import { mistake } from "../mistake.js";

/** Reads what was written, as of a dataset of nine samples. */
function writtenAndRead(images: RecordedImages) {
  const directory = mkdtempSync(join(tmpdir(), "ibatch-images-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  expect(imagesOf(filesOf(directory), 9)).toEqual([]);
  new RunRecord(directory, { orders: "full", signals: "full" }).writeImages(images);
  return imagesOf(filesOf(directory), 9);
}

const shape: RecordedImages["shape"] = [1, 2, 3];
const pixels = Uint8Array.from({ length: 12 }, (_, at) => at);

test("each picture comes back with its sample", () => {
  const read = writtenAndRead({ indices: Uint32Array.of(8, 2), shape, pixels });
  expect(read.map(({ index, shape, pixels }) => [index, shape, [...pixels]])).toEqual([
    [8, [1, 2, 3], [0, 1, 2, 3, 4, 5]],
    [2, [1, 2, 3], [6, 7, 8, 9, 10, 11]],
  ]);
});

test("pictures with too few bytes, or of a sample that there is none of, are refused", () => {
  expect(mistake(() => writtenAndRead({ indices: Uint32Array.of(1), shape, pixels }))).toContain(
    "images.u8 is damaged (it has 12 bytes, expected 1 × 1 × 2 × 3)",
  );
  expect(mistake(() => writtenAndRead({ indices: Uint32Array.of(1, 9), shape, pixels }))).toContain(
    "images.json is damaged (it has a sample 9, its dataset has 9 on record)",
  );
});
