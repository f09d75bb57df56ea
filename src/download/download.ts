/** A dataset: what is there and whole stays, what lacks is fetched, and nothing that differs is used. */
import { mkdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { surroundingsError } from "../errors.js";
import { makeDirectory } from "../record/directory.js";
import { PARTIAL } from "../record/write-file.js";
import { type Fetching, fetchFile } from "./fetch-file.js";
import { md5Of, onDisk, sizeOf } from "./files.js";
import type { ArchivedFiles, DataSource, GzippedFile, LooseFiles, PublishedFile } from "./sources.js";
import { unpack, type Wanted } from "./unpack.js";

export interface Downloading extends Fetching {
  /** A step that takes a moment and is no transfer. */
  readonly step: (what: string) => void;
}

export interface Downloaded {
  /** Where the set's files are. */
  readonly folder: string;
  /** Names of the files that were not there before. */
  readonly fetched: readonly string[];
}

/**
 * Puts the dataset below the directory, in the layout that the backend reads.
 * @throws IbatchError that says what is in the way; Interrupted. Both leave no half file under a final name.
 */
export function download(source: DataSource, directory: string, downloading: Downloading): Promise<Downloaded> {
  return source.kind === "files"
    ? downloadFiles(source, directory, downloading)
    : downloadArchive(source, directory, downloading);
}

async function downloadFiles(
  { folder, files }: LooseFiles,
  directory: string,
  downloading: Downloading,
): Promise<Downloaded> {
  const place = join(directory, folder);
  const fetched: string[] = [];
  for (const file of files) {
    const path = join(place, file.name);
    if ((await hasPlain(path, file)) || (await isWhole(path, file))) continue;
    makeDirectory(place, "--data");
    await fetchFile(file, path, downloading);
    fetched.push(file.name);
  }
  return { folder: place, fetched };
}

/** Whether the unpacked file is there: no checksum of it is published, so that its size must do. */
async function hasPlain(path: string, { plainBytes }: GzippedFile): Promise<boolean> {
  const plain = path.replace(/\.gz$/, "");
  const seen = await sizeOf(plain);
  if (seen !== undefined && seen !== plainBytes) throw differs(plain, `${seen} bytes`, `${plainBytes}`);
  return seen !== undefined;
}

/** Whether the published file is there; one of this name that is another is the user's to remove. */
async function isWhole(path: string, { bytes, md5 }: Omit<PublishedFile, "urls">): Promise<boolean> {
  const seen = await sizeOf(path);
  if (seen === undefined) return false;
  if (seen !== bytes) throw differs(path, `${seen} bytes`, `${bytes}`);
  return await hasMd5(path, md5);
}

/** True, or an error: the file is there. */
async function hasMd5(path: string, md5: string): Promise<true> {
  const seen = await md5Of(path);
  if (seen !== md5) throw differs(path, `the MD5 ${seen}`, md5);
  return true;
}

const differs = (path: string, seen: string, expected: string): Error =>
  surroundingsError(
    `${path} is there but is not the published file: it has ${seen}, expected ${expected}; ` +
      "remove it and give the same command again",
  );

async function downloadArchive(
  { folder, archive, members }: ArchivedFiles,
  directory: string,
  downloading: Downloading,
): Promise<Downloaded> {
  const place = join(directory, folder);
  downloading.step(`looking at ${place}`);
  const lacking: (typeof members)[number][] = [];
  for (const member of members) {
    const path = join(place, member.name);
    if ((await sizeOf(path)) === undefined) lacking.push(member);
    else await hasMd5(path, member.md5);
  }
  if (lacking.length === 0) return { folder: place, fetched: [] };

  const path = join(directory, archive.name);
  const wasThere = await isWhole(path, archive);
  if (!wasThere) {
    makeDirectory(directory, "--data");
    await fetchFile(archive, path, downloading);
  }
  downloading.step(`unpacking ${archive.name}`);
  await unpackInto(place, path, folder, lacking, downloading.signal);
  if (!wasThere) await onDisk(path, () => rm(path)); // an archive that the user put there stays
  return { folder: place, fetched: lacking.map(({ name }) => name) };
}

/**
 * The members appear at once, when all of them are whole: the backend prefers this folder as soon as it is there, and a
 * folder with some of the files would hide the binary version that can be read.
 */
async function unpackInto(
  place: string,
  archive: string,
  folder: string,
  members: ArchivedFiles["members"],
  signal: AbortSignal,
): Promise<void> {
  const aside = `${place}${PARTIAL}`;
  const remove = () => onDisk(aside, () => rm(aside, { recursive: true, force: true }));
  await remove();
  try {
    await onDisk(aside, () => mkdir(aside));
    const wanted = members.map(({ name, md5 }): [string, Wanted] => [
      `${folder}/${name}`,
      { to: join(aside, name), md5 },
    ]);
    await unpack(archive, new Map(wanted), signal);
    if ((await sizeOf(place)) === undefined) return await onDisk(place, () => rename(aside, place));
    for (const { name } of members) {
      const path = join(place, name);
      await onDisk(path, () => rename(join(aside, name), path));
    }
  } finally {
    await remove();
  }
}
