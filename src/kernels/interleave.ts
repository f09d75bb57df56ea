import type { Grouped } from "./classes.js";

/**
 * Round robin: the first of each class, then the second of each, and so on; a class that has run out is passed
 * over, so the tail holds the large classes alone.
 */
export function interleave(grouped: Grouped, out = new Uint32Array(grouped.indices.length)): Uint32Array {
  const { indices, offsets } = grouped;
  // Classes that still have members, in class order; those that ran out are dropped while going round.
  let active = 0;
  const classes = new Uint32Array(offsets.length - 1);
  for (let c = 0; c < classes.length; c++) {
    if (offsets[c] < offsets[c + 1]) classes[active++] = c;
  }
  let filled = 0;
  for (let turn = 0; active > 0; turn++) {
    let kept = 0;
    for (let i = 0; i < active; i++) {
      const c = classes[i];
      const place = offsets[c] + turn;
      out[filled++] = indices[place];
      if (place + 1 < offsets[c + 1]) classes[kept++] = c;
    }
    active = kept;
  }
  return out;
}
