/** An epoch as the names of its files have it: 0007. */
export const numbered = (epoch: number): string => String(epoch).padStart(4, "0");
