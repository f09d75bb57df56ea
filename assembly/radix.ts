/**
 * Stable radix sort of pairs: a u64 with the key in its upper half and the index in its lower.
 *
 * A digit of at most 11 bits a pass, least significant first; the last pass writes the index alone.
 */

const WIDEST: u32 = 11;
const MOST_PASSES: u32 = 3;
/** Counts, then places, of each digit's values: a table a pass. */
const tables = memory.data(<i32>(4 * (1 << WIDEST) * MOST_PASSES));

/** How many passes keys of so many bits take. */
export function passesOf(bits: u32, widest: u32): u32 {
  return (bits + widest - 1) / widest;
}

/** Turns the counts in a table into the addresses where the first of each value goes, `1 << shift` bytes each. */
function place(table: usize, values: u32, start: usize, shift: u32): void {
  let next = start;
  const end = table + ((<usize>values) << 2);
  for (let at = table; at < end; at += 4) {
    const count = load<u32>(at);
    store<u32>(at, <u32>next);
    next += (<usize>count) << shift;
  }
}

/**
 * Sorts `n` pairs at `from` by the lower `bits` (1 … 33) of their keys and writes the indices at `out`. `temp` has
 * room for as many pairs; both are overwritten.
 */
export function sortPairs(from: usize, n: u32, bits: u32, temp: usize, out: usize): void {
  if (n === 1 || bits === 0) {
    for (let i: usize = 0; i < n; i++) store<u32>(out + (i << 2), <u32>load<u64>(from + (i << 3)));
    return;
  }
  // Few pairs are not worth clearing large tables for.
  const widest: u32 = n < 512 ? 8 : n < 4096 ? 10 : WIDEST;
  let passes = passesOf(bits, widest);
  if (passes > MOST_PASSES) passes = passesOf(bits, WIDEST);
  const width = (bits + passes - 1) / passes;
  const values: u32 = 1 << width;
  const mask = (<usize>values - 1) << 2;
  const tableBytes = (<usize>values) << 2;
  memory.fill(tables, 0, tableBytes * passes);

  const end = from + ((<usize>n) << 3);
  const shift = <u64>width;
  if (passes === 1) {
    for (let at = from; at < end; at += 8) {
      const slot = tables + (((<usize>(load<u64>(at) >> 32)) << 2) & mask);
      store<u32>(slot, load<u32>(slot) + 1);
    }
  } else if (passes === 2) {
    const table1 = tables + tableBytes;
    for (let at = from; at < end; at += 8) {
      const key = load<u32>(at, 4);
      const slot0 = tables + (((<usize>key) << 2) & mask);
      const slot1 = table1 + (((<usize>(key >> width)) << 2) & mask);
      store<u32>(slot0, load<u32>(slot0) + 1);
      store<u32>(slot1, load<u32>(slot1) + 1);
    }
  } else {
    const table1 = tables + tableBytes;
    const table2 = table1 + tableBytes;
    for (let at = from; at < end; at += 8) {
      const key = load<u32>(at, 4);
      const slot0 = tables + (((<usize>key) << 2) & mask);
      const slot1 = table1 + (((<usize>(key >> width)) << 2) & mask);
      const slot2 = table2 + (((<usize>(key >> (2 * width))) << 2) & mask);
      store<u32>(slot0, load<u32>(slot0) + 1);
      store<u32>(slot1, load<u32>(slot1) + 1);
      store<u32>(slot2, load<u32>(slot2) + 1);
    }
  }

  let source = from;
  let target = temp;
  let table = tables;
  let digit: u64 = 32;
  for (let pass: u32 = 1; pass < passes; pass++) {
    place(table, values, target, 3);
    scatterPairs(source, n, digit, table, mask);
    const free = source;
    source = target;
    target = free;
    table += tableBytes;
    digit += shift;
  }
  place(table, values, out, 2);
  scatterIndices(source, n, digit, table, mask);
}

function scatterPairs(source: usize, n: u32, digit: u64, table: usize, mask: usize): void {
  const end = source + ((<usize>n) << 3);
  const shift = digit - 2; // the table's entries have 4 bytes
  for (let at = source; at < end; at += 8) {
    const pair = load<u64>(at);
    const slot = table + (<usize>(pair >> shift) & mask);
    const next = <usize>load<u32>(slot);
    store<u64>(next, pair);
    store<u32>(slot, <u32>next + 8);
  }
}

function scatterIndices(source: usize, n: u32, digit: u64, table: usize, mask: usize): void {
  const end = source + ((<usize>n) << 3);
  const shift = digit - 2;
  for (let at = source; at < end; at += 8) {
    const pair = load<u64>(at);
    const slot = table + (<usize>(pair >> shift) & mask);
    const next = <usize>load<u32>(slot);
    store<u32>(next, <u32>pair);
    store<u32>(slot, <u32>next + 4);
  }
}
