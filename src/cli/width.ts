/** How wide what is printed may be: a terminal's width; what goes to a file or a pipe has no limit. */
export const widthOf = ({ isTTY, columns }: NodeJS.WriteStream): number =>
  isTTY ? columns || USUAL_COLUMNS : Number.POSITIVE_INFINITY;

const USUAL_COLUMNS = 80;
