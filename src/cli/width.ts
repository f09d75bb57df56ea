/** How wide what is printed may be: a terminal's width; what goes to a file or a pipe has no limit. */
export function widthOfOutput(): number {
  const { isTTY, columns } = process.stdout;
  return isTTY ? columns || USUAL_COLUMNS : Number.POSITIVE_INFINITY;
}

const USUAL_COLUMNS = 80;
