// A stamp is a small file that says for which inputs a step was last done, so that it need not be done again.
import { createHash } from "node:crypto";
import fs from "node:fs";
import { dirname, join } from "node:path";

export function readStamp(path) {
  try {
    return fs.readFileSync(path, "utf8");
  } catch {
    return null;
  }
}

/** Written under another name first: a stamp that is there is whole. */
export function writeStamp(path, text) {
  fs.mkdirSync(dirname(path), { recursive: true });
  fs.writeFileSync(`${path}.new`, text);
  fs.renameSync(`${path}.new`, path);
}

/** Of what the files say. A missing file counts as empty. */
export function hashContents(paths) {
  return hash(paths.map((path) => readStamp(path) ?? ""));
}

/** Of name, size and time of change of each file, folders with all they hold: cheap, for many files. */
export function hashTimes(paths) {
  return hash(paths.flatMap(filesUnder).map(describe));
}

/** The modification time, or null where there is nothing. */
export function modified(path) {
  return fs.statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? null;
}

export function filesUnder(path) {
  if (!fs.statSync(path, { throwIfNoEntry: false })?.isDirectory()) return [path];
  return fs
    .readdirSync(path)
    .sort()
    .flatMap((name) => filesUnder(join(path, name)));
}

function describe(path) {
  const stat = fs.statSync(path, { throwIfNoEntry: false });
  return `${path} ${stat?.size} ${stat?.mtimeMs}`;
}

function hash(texts) {
  return createHash("sha256").update(JSON.stringify(texts)).digest("hex");
}
