/** How evenly a share of the samples is spread over the batches: under a uniform shuffle the counts are hypergeometric. */
import { countClasses } from "../kernels/classes.js";
import { evenness, type Table } from "./evenness.js";
import type { Outcome, Sequence, Sequences } from "./sequences.js";

/** Of odd indices, the first half of the indices, and the classes where they are known. */
export function spreads({ all, n, labels }: Sequences): Outcome[] {
  const indices = Uint32Array.from({ length: n }, (_, index) => index);
  const shares = [
    { name: "spread of odd indices over batches", labels: indices.map((index) => index % 2) },
    { name: "spread of the first half of the indices", labels: indices.map((index) => (2 * index < n ? 1 : 0)) },
    ...(labels === undefined ? [] : [{ name: "spread of classes over batches", labels }]),
  ];
  return shares.map((share) => spread(share.name, all, share.labels));
}

function spread(name: string, all: readonly Sequence[], labels: Uint32Array): Outcome {
  const classes = labels.reduce((most, label) => Math.max(most, label), 0) + 1;
  return evenness(
    name,
    all.map((sequence) => tableOf(sequence, labels, classes)),
  );
}

function tableOf({ indices, offsets }: Sequence, labels: Uint32Array, classes: number): Table {
  const batches = offsets.length - 1;
  const sizes = new Float64Array(batches);
  const ofClasses = new Float64Array(classes);
  const counts = new Uint32Array(batches * classes);
  for (let batch = 0; batch < batches; batch++) {
    const members = indices.subarray(offsets[batch], offsets[batch + 1]);
    const ofBatch = countClasses(members, labels, classes, counts.subarray(batch * classes, (batch + 1) * classes));
    sizes[batch] = members.length;
    for (let label = 0; label < classes; label++) ofClasses[label] += ofBatch[label];
  }
  let squares = 0;
  for (let at = 0; at < counts.length; at++) {
    if (counts[at] > 0) squares += counts[at] ** 2 / (sizes[Math.floor(at / classes)] * ofClasses[at % classes]);
  }
  return { rows: sizes, columns: ofClasses, squares };
}
