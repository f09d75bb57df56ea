// Files of tests shared out among processes that run side by side.

/**
 * Each of `[name, weight]` in one of so many lists of names, whose weights come out about equal: the heaviest first, each to
 * the list that has least. The same files give the same lists.
 */
export function shareOut(files, count) {
  const shares = Array.from({ length: count }, () => ({ names: [], weight: 0 }));
  for (const [name, weight] of files.toSorted(([a, x], [b, y]) => y - x || (a < b ? -1 : 1))) {
    const least = shares.reduce((least, share) => (share.weight < least.weight ? share : least));
    least.names.push(name);
    least.weight += weight;
  }
  return shares.map(({ names }) => names.sort()).filter((names) => names.length > 0);
}
