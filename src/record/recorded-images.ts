/** Reads back the pictures of training samples: `images.json`, `images.u8`. */
import { z } from "zod";
import { damage } from "./read-file.js";
import { IMAGES } from "./run-files.js";
import type { RunFiles } from "./verified-files.js";

const size = z.int().min(1);

const imagesDocument = z.object({
  indices: z.array(z.int().min(0)),
  /** Height, width, channels. */
  shape: z.tuple([size, size, size]),
});
export type ImagesDocument = z.infer<typeof imagesDocument>;

export interface RecordedImage {
  /** Of the training sample. */
  readonly index: number;
  readonly shape: ImagesDocument["shape"];
  /** [height, width, channels] */
  readonly pixels: Uint8Array;
}

/**
 * None where there are none on record. `n`: samples of the dataset.
 * @throws IbatchError when they are damaged.
 */
export function imagesOf(files: RunFiles, n: number): RecordedImage[] {
  if (!files.has(IMAGES.document)) return [];
  const { indices, shape } = files.json(IMAGES.document, imagesDocument);
  const bytes = files.bytes(IMAGES.pixels);
  const each = shape.reduce((product, length) => product * length);
  if (bytes.length !== indices.length * each) {
    const what = `it has ${bytes.length} bytes, expected ${indices.length} × ${shape.join(" × ")}`;
    throw files.damaged(IMAGES.pixels, damage(what));
  }
  const beyond = indices.find((index) => index >= n);
  if (beyond !== undefined) {
    throw files.damaged(IMAGES.document, damage(`it has a sample ${beyond}, its dataset has ${n} on record`));
  }
  return indices.map((index, at) => ({ index, shape, pixels: bytes.subarray(at * each, (at + 1) * each) }));
}
