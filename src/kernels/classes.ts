/** Samples put together by class. */
export interface Grouped {
  /** The samples, class by class; within a class in the sequence they came in. */
  readonly indices: Uint32Array;
  /** Class c is indices[offsets[c] … offsets[c+1]-1]; length classCount + 1. */
  readonly offsets: Uint32Array;
}

/** How many of `indices` each class has, into `out` (length classCount). `labels` is read at each index. */
export function countClasses(
  indices: Readonly<Uint32Array>,
  labels: Readonly<Uint32Array>,
  classCount: number,
  out = new Uint32Array(classCount),
): Uint32Array {
  out.fill(0);
  for (let i = 0; i < indices.length; i++) {
    const label = labels[indices[i]];
    // Written so that an index past the labels, whose label is undefined, is refused too.
    if (!(label < classCount)) {
      throw new RangeError(`sample ${indices[i]} has label ${label}, expected 0 to ${classCount - 1}`);
    }
    out[label]++;
  }
  return out;
}

/** Counting sort by class, stable. */
export function groupByClass(
  indices: Readonly<Uint32Array>,
  labels: Readonly<Uint32Array>,
  classCount: number,
): Grouped {
  const counts = countClasses(indices, labels, classCount);
  const offsets = new Uint32Array(classCount + 1);
  for (let c = 0; c < classCount; c++) offsets[c + 1] = offsets[c] + counts[c];
  const next = offsets.slice(0, classCount);
  const grouped = new Uint32Array(indices.length);
  for (let i = 0; i < indices.length; i++) {
    const index = indices[i];
    grouped[next[labels[index]]++] = index;
  }
  return { indices: grouped, offsets };
}
