/** How evenly a share of the samples is spread over the batches: under a uniform shuffle the counts are hypergeometric. */
import { consecutive } from "../kernels/consecutive.js";
import { evenness, tableOf } from "./evenness.js";
import { batchOfPlaces, type Outcome, type Sequence, type Sequences } from "./sequences.js";

/** Of odd indices, the first half of the indices, and the classes where they are known. */
export function spreads({ all, n, labels }: Sequences): Outcome[] {
  const indices = consecutive(n);
  const shares = [
    { name: "spread: odd indices", labels: indices.map((index) => index % 2) },
    { name: "spread: first half", labels: indices.map((index) => (2 * index < n ? 1 : 0)) },
    ...(labels === undefined ? [] : [{ name: "spread: classes", labels }]),
  ];
  return shares.map((share) => spread(share.name, all, share.labels));
}

function spread(name: string, all: readonly Sequence[], labels: Uint32Array): Outcome {
  const tables = all.map((sequence) => {
    const labelOf = sequence.indices.map((index) => labels[index]);
    return tableOf(batchOfPlaces(sequence), labelOf);
  });
  return evenness(name, tables);
}
