/** Whether each index comes once. */
import { nameOf, type Sequence, type Sequences } from "./sequences.js";

/** What is wrong with each sequence that misses or repeats an index. */
export function notEachOnce({ all, n }: Sequences): string[] {
  return all.flatMap((sequence) => {
    const faults = faultsOf(sequence, n);
    return faults.length === 0 ? [] : [`${nameOf(sequence)}: ${faults.join(", ")}`];
  });
}

function faultsOf({ indices }: Sequence, n: number): string[] {
  const counts = new Uint32Array(n);
  for (let at = 0; at < indices.length; at++) counts[indices[at]]++;
  return [
    { what: "missing", found: counts.reduce((sum, count) => sum + (count === 0 ? 1 : 0), 0), is: countIs0 },
    { what: "drawn more than once", found: counts.reduce((sum, count) => sum + (count > 1 ? 1 : 0), 0), is: isMany },
  ]
    .filter(({ found }) => found > 0)
    .map(({ what, found, is }) => `${found} of ${n} ${what} (first ${counts.findIndex(is)})`);
}

const countIs0 = (count: number): boolean => count === 0;
const isMany = (count: number): boolean => count > 1;
