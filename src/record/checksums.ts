/**
 * `SHA256SUMS`: every file that a finished run consists of, in the form that `sha256sum -c` reads. A comment before each
 * line has the file's bytes, so that one that is cut off is noticed without being read.
 */
import { sha256 } from "./hash.js";
import { damage } from "./read-file.js";

export const CHECKSUMS = "SHA256SUMS";

export interface Checksum {
  readonly sha256: string;
  readonly bytes: number;
}

/** By the file's path below the run's directory. */
export type Checksums = ReadonlyMap<string, Checksum>;

const HEADER = "# The files of this run. To check them all: sha256sum -c SHA256SUMS";

export const checksumOf = (content: Uint8Array): Checksum => ({ sha256: sha256(content), bytes: content.byteLength });

export function formatChecksums(checksums: Checksums): string {
  const lines = [...checksums].map(([file, { sha256, bytes }]) => `# ${bytes} bytes\n${sha256}  ${file}\n`);
  return `${HEADER}\n${lines.join("")}`;
}

const BYTES = /^# (\d+) bytes$/;
const FILE = /^([0-9a-f]{64}) {2}(\S+)$/;

/** @throws Unreadable where it is not as `formatChecksums` writes it. */
export function parseChecksums(text: string): Checksums {
  const [header, ...lines] = text.split("\n");
  if (header !== HEADER || lines.pop() !== "") throw damage("it does not begin or end as such a list does");
  const checksums = new Map<string, Checksum>();
  for (let at = 0; at < lines.length; at += 2) {
    const [bytes, entry] = [BYTES.exec(lines[at]), FILE.exec(lines[at + 1] ?? "")];
    if (bytes === null || entry === null) throw damage(`lines ${at + 2} and ${at + 3} name no file with its bytes`);
    checksums.set(entry[2], { sha256: entry[1], bytes: Number(bytes[1]) });
  }
  return checksums;
}
