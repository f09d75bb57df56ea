/**
 * Places near the wanted ones, in the same sequence, at least `distance` apart and within the range as far as it holds
 * them: neighbours that would touch are moved as a block whose middle stays where theirs was.
 */
export function placeApart(
  wanted: readonly number[],
  distance: number,
  { from, to }: { readonly from: number; readonly to: number },
): number[] {
  const sequence = wanted.map((_, at) => at).sort((a, b) => wanted[a] - wanted[b] || a - b);
  const blocks: { members: number[]; start: number }[] = [];
  const settle = (members: number[]) => {
    const length = (members.length - 1) * distance;
    const middle = members.reduce((sum, at) => sum + wanted[at], 0) / members.length;
    return { members, start: Math.max(from, Math.min(to - length, middle - length / 2)) };
  };
  for (const at of sequence) {
    let block = settle([at]);
    for (
      let before = blocks.at(-1);
      before !== undefined && overlaps(before, block, distance);
      before = blocks.at(-1)
    ) {
      blocks.pop();
      block = settle([...before.members, ...block.members]);
    }
    blocks.push(block);
  }
  const placed = new Array<number>(wanted.length);
  for (const { members, start } of blocks) {
    for (const [place, at] of members.entries()) placed[at] = start + place * distance;
  }
  return placed;
}

const overlaps = (before: { members: number[]; start: number }, block: { start: number }, distance: number): boolean =>
  before.start + before.members.length * distance > block.start;
