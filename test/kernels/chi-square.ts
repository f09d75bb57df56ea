/** Pearson's statistic of these counts against equal chances. */
export function chiSquare(counts: Iterable<number>): number {
  const observed = [...counts];
  const expected = observed.reduce((sum, count) => sum + count, 0) / observed.length;
  return observed.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
}

/**
 * Bounds that chi-square with so many degrees of freedom leaves once in a million on each side (Wilson and
 * Hilferty's approximation, good to 1 % from 20 degrees on): too far from equal, or too close to it to be chance.
 */
export function chiSquareBounds(degrees: number): { low: number; high: number } {
  const z = 4.75;
  const spread = 2 / (9 * degrees);
  const at = (sigmas: number) => degrees * (1 - spread + sigmas * Math.sqrt(spread)) ** 3;
  return { low: at(-z), high: at(z) };
}
