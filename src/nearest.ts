import { usageError } from "./errors.js";

/** A letter typed wrong, left out, added or swapped with its neighbour is found in any word; more in longer ones. */
const TOLERATED_SHARE = 0.4;
/** From this many letters on the beginning of a name is enough ("hetero"). */
const SHORTEST_BEGINNING = 3;

/** The known name that is nearest to what was typed, or undefined when none is near. Upper and lower case are one. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  const typed = name.toLowerCase();
  let best: string | undefined;
  let bestDistance = Number.POSITIVE_INFINITY;
  for (const candidate of known) {
    const other = candidate.toLowerCase();
    const distance = editDistance(typed, other);
    if (distance <= TOLERATED_SHARE * Math.max(typed.length, other.length) && distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  if (best !== undefined || typed.length < SHORTEST_BEGINNING) return best;
  return known.find((candidate) => candidate.toLowerCase().startsWith(typed));
}

/** The entry of a table with this name; else a usage error that names the nearest one and all there are. */
export function findNamed<Entry extends { readonly name: string }>(
  kind: string,
  table: readonly Entry[],
  name: string,
): Entry {
  const found = table.find((entry) => entry.name === name);
  if (found !== undefined) return found;
  throw usageError(unknownName(kind, table, name));
}

/** The sentence for a name that is not in the table: the nearest one, and all there are. */
export function unknownName(kind: string, table: readonly { readonly name: string }[], name: string): string {
  const known = table.map((entry) => entry.name);
  const near = nearest(name, known);
  const guess = near === undefined ? "" : ` Did you mean "${near}"?`;
  return `There is no ${kind} "${name}".${guess} Known: ${known.join(", ")}.`;
}

/** What to do about a name that is none of these: the nearest one, or all there are. */
export function hintOf(name: string, known: readonly string[]): string {
  const near = nearest(name, known);
  return near === undefined ? `there are: ${known.join(", ")}` : `did you mean \`${near}\`?`;
}

/** Fewest single letters to insert, delete, replace or swap with their neighbour that make one text the other. */
function editDistance(a: string, b: string): number {
  // rows[i][j]: distance between the first i letters of `a` and the first j letters of `b`.
  const rows = Array.from({ length: a.length + 1 }, (_, i) => Array.from({ length: b.length + 1 }, (_, j) => i + j));
  for (let i = 1; i <= a.length; i++) {
    for (let j = 1; j <= b.length; j++) {
      const replaced = rows[i - 1][j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const swapped = isSwap ? rows[i - 2][j - 2] + 1 : Number.POSITIVE_INFINITY;
      rows[i][j] = Math.min(replaced, swapped, rows[i - 1][j] + 1, rows[i][j - 1] + 1);
    }
  }
  return rows[a.length][b.length];
}
