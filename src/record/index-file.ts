/** Reads sequences of indices that a user names: raw u32, numpy's format, or text. */
import { usageError } from "../errors.js";
import { asIndex, isNpy, readNpy } from "./npy.js";
import { Damaged, damage, readBytes, Unreadable, unreadable, wholeValues } from "./read-file.js";

interface Parting {
  /** Indices an epoch of a file that does not part them itself. */
  readonly samples?: number | undefined;
  /** Seeds in one file. */
  readonly seeds?: number | undefined;
}

/**
 * The epochs of each seed. Raw: little-endian u32. `.npy`: integers; the last axis is an epoch, the one before it the
 * epochs, the one before that the seeds. Text: integers parted by white space, epochs by blank lines.
 * @throws IbatchError
 */
export function readIndexFile(path: string, parting: Parting): Uint32Array[][] {
  return named(path, () => {
    const bytes = readBytes(path);
    if (bytes.length === 0) throw damage("it is empty");
    return bySeed(epochsOf(path, bytes, parting.samples), parting.seeds);
  });
}

/** A value a sample, as `--labels` names. @throws IbatchError */
export function readLabelFile(path: string): Uint32Array {
  const [[labels, ...more], ...others] = readIndexFile(path, {});
  if (more.length + others.length === 0) return labels;
  throw usageError(`${path} holds ${more.length + 1} rows of labels: expected one value a sample, and no more`);
}

function named<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof Damaged) throw usageError(`${path}: ${error.how}`, { cause: error });
    if (error instanceof Unreadable) throw unreadable(path, error, "name another file");
    throw error;
  }
}

/** By seed where the file says so, else all in one. */
function epochsOf(path: string, bytes: Buffer, samples: number | undefined): Uint32Array[][] {
  if (isNpy(bytes)) return fromNpy(bytes, samples);
  if (!path.endsWith(".u32") && isText(bytes)) return [fromText(bytes.toString("latin1"))];
  return [parted(fromRaw(bytes), samples)];
}

function fromNpy(bytes: Buffer, samples: number | undefined): Uint32Array[][] {
  const { values, shape } = readNpy(bytes);
  if (shape.length < 1 || shape.length > 3) {
    throw damage(`it has ${shape.length} axes: expected an epoch, epochs × indices, or seeds × epochs × indices`);
  }
  if (values.length === 0) throw damage("it holds no indices");
  if (shape.length === 1) return [parted(values, samples)];
  const length = shape[shape.length - 1];
  const epochs = parted(values, length);
  return shape.length === 2 ? [epochs] : dealt(epochs, shape[0]);
}

/** No index that anything is judged of has four bytes that can be printed. */
function isText(bytes: Buffer): boolean {
  return /^[\s\x20-\x7e]*$/.test(bytes.subarray(0, 65_536).toString("latin1"));
}

function fromText(text: string): Uint32Array[] {
  const epochs = text.split(/\n\s*\n/).map((epoch) => epoch.split(/\s+/).filter((word) => word !== ""));
  const held = epochs.filter((words) => words.length > 0);
  if (held.length === 0) throw damage("it holds no indices");
  return held.map((words) => new Uint32Array(words.length).map((_, at) => indexOfWord(words[at], at)));
}

function indexOfWord(word: string, at: number): number {
  if (!/^-?\d+$/.test(word)) throw damage(`"${short(word)}" at place ${at}: expected integers, parted by white space`);
  return asIndex(Number(word), at);
}

/** So much of what a file holds is enough in a line. */
const LONGEST_WORD = 40;

const short = (word: string): string => (word.length <= LONGEST_WORD ? word : `${word.slice(0, LONGEST_WORD)}…`);

function fromRaw(bytes: Buffer): Uint32Array {
  const values = new Uint32Array(wholeValues(bytes));
  const isWide =
    values.length > 2 && values.length % 2 === 0 && values.every((value, at) => at % 2 === 0 || value === 0);
  if (isWide) throw damage("every second value is 0, as in integers of 64 bits: save .npy, or 32 bits each");
  return values;
}

function parted(values: Uint32Array, length = values.length): Uint32Array[] {
  if (values.length % length !== 0) {
    throw damage(`${values.length} indices are no whole number of epochs of ${length} (--samples)`);
  }
  return Array.from({ length: values.length / length }, (_, at) => values.subarray(at * length, (at + 1) * length));
}

function bySeed(held: Uint32Array[][], seeds: number | undefined): Uint32Array[][] {
  if (seeds === undefined || held.length === seeds) return held;
  if (held.length > 1) throw damage(`it holds ${held.length} seeds, not ${seeds} (--seeds)`);
  const [epochs] = held;
  if (epochs.length % seeds !== 0) {
    const count = `${epochs.length} ${epochs.length === 1 ? "epoch" : "epochs"}`;
    throw damage(`${count} cannot be dealt to ${seeds} seeds (--seeds) equally`);
  }
  return dealt(epochs, seeds);
}

function dealt(epochs: readonly Uint32Array[], seeds: number): Uint32Array[][] {
  const each = epochs.length / seeds;
  return Array.from({ length: seeds }, (_, seed) => epochs.slice(seed * each, (seed + 1) * each));
}
