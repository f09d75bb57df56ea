/** What the download does to files: sizes, checksums, whole writes, and the disk's refusals as sentences. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { type FileHandle, stat } from "node:fs/promises";
import { surroundingsError } from "../errors.js";
import { diskRefusal } from "../record/disk-refusal.js";

/**
 * Does what reads or writes `path`.
 * @throws IbatchError that names it, when the disk refuses.
 */
export async function onDisk<T>(path: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    const reason = diskRefusal(error) ?? otherRefusal(error);
    if (reason === undefined) throw error;
    throw surroundingsError(
      `${reason}: ${path} cannot be used; mend that and give the same command again, or name another --data`,
      { cause: error },
    );
  }
}

/** What no other writer of this program meets: files that others take away, disks that come off. */
function otherRefusal(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("syscall" in error) || !("code" in error)) return undefined;
  return error.code === "ENOENT" ? "it was removed meanwhile (does another process work on it?)" : String(error.code);
}

/** Bytes of a file; undefined where there is none. */
export async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    return onDisk(path, () => Promise.reject(error));
  }
}

/** MD5 of a file, in hex: the checksum that the makers of the sets publish. */
export function md5Of(path: string): Promise<string> {
  return onDisk(path, async () => {
    const hash = createHash("md5");
    for await (const chunk of createReadStream(path)) hash.update(chunk);
    return hash.digest("hex");
  });
}

/** Writes all of the bytes from this position on: one `write` may leave some. */
export async function writeAll(handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let written = 0; written < bytes.length; ) {
    const { bytesWritten } = await handle.write(bytes, written, bytes.length - written, position + written);
    written += bytesWritten;
  }
}

/** As 26.4 MB or 5.1 kB; decimal, as the publishers count. */
export function size(bytes: number): string {
  if (bytes < 1000) return `${bytes} bytes`;
  return bytes < 1_000_000 ? `${(bytes / 1000).toFixed(1)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`;
}
