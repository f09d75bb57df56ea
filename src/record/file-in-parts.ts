/** A file that may be larger than what fits into a buffer: it is read in parts. */
import { createHash } from "node:crypto";
import { closeSync, openSync, readSync } from "node:fs";
import type { Checksum } from "./checksums.js";
import { damage, looking, sizeOfFile } from "./read-file.js";

/** Read at a time where the parts do not matter. */
const CHUNK_BYTES = 1024 * 1024;

export class FileInParts {
  /** @throws Unreadable where there is no such file. */
  constructor(
    readonly path: string,
    readonly bytes: number = sizeOfFile(path),
  ) {}

  /** One after another, each of at most so many bytes; of an empty file one that is empty. @throws Unreadable */
  *parts(mostBytes: number): Generator<Buffer> {
    const file = looking(this.path, () => openSync(this.path, "r"));
    try {
      let at = 0;
      do {
        const part = Buffer.allocUnsafe(Math.min(mostBytes, this.bytes - at));
        looking(this.path, () => fill(part, file));
        at += part.length;
        yield part;
      } while (at < this.bytes);
    } finally {
      closeSync(file);
    }
  }

  /** @throws Unreadable */
  checksum(): Checksum {
    const hash = createHash("sha256");
    for (const part of this.parts(CHUNK_BYTES)) hash.update(part);
    return { sha256: hash.digest("hex"), bytes: this.bytes };
  }
}

function fill(part: Buffer, file: number): void {
  for (let filled = 0; filled < part.length; ) {
    const read = readSync(file, part, filled, part.length - filled, null);
    if (read === 0) throw damage("it was cut off while it was read");
    filled += read;
  }
}
