/**
 * Takes `take` from classes of `counts` members, each class its share: floor or ceil of take · count / total,
 * together exactly `take` (controlled rounding).
 *
 * The classes are laid end to end in the given sequence and every (total / take)-th place is picked, from `offset`
 * on. With `offset` uniform in 0 … total-1 a class gets exactly its share in the mean; with `sequence` shuffled,
 * too, no two classes go together more than others. All in integers; nothing passes 2^53 while total < 2^32.
 *
 * @param counts members of each class
 * @param sequence the classes, each once
 * @param take how many to take: 0 … total
 * @param offset 0 … total-1 (0 when total is 0)
 * @param out how many to take of each class; same length as `counts`
 */
export function proportionalShares(
  counts: Readonly<Uint32Array>,
  sequence: Readonly<Uint32Array>,
  take: number,
  offset: number,
  out: Uint32Array,
): Uint32Array {
  let total = 0;
  for (let c = 0; c < counts.length; c++) total += counts[c];
  if (!Number.isInteger(take) || take < 0 || take > total) {
    throw new RangeError(`cannot take ${take} of ${total}`);
  }
  if (total === 0) return out.fill(0);
  if (!Number.isInteger(offset) || offset < 0 || offset >= total) {
    throw new RangeError(`offset is ${offset}, expected an integer from 0 to ${total - 1}`);
  }

  // A class's share is the growth of floor((counts so far · take + offset) / total). The product takes up to 64
  // bits, so it is divided by schoolbook, 16 bits of `take` at a time: dividends below 2^50 have exact floors.
  const takeHigh = Math.floor(take / 65536);
  const takeLow = take % 65536;
  let carry = offset;
  for (let i = 0; i < sequence.length; i++) {
    const c = sequence[i];
    const count = counts[c];
    const high = count * takeHigh;
    const quotientHigh = Math.floor(high / total);
    const low = (high - quotientHigh * total) * 65536 + count * takeLow + carry;
    const quotientLow = Math.floor(low / total);
    carry = low - quotientLow * total;
    out[c] = quotientHigh * 65536 + quotientLow;
  }
  return out;
}
