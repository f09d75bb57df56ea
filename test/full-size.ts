/** Tests of what is exhaustive: `npm run nightly` runs all of it, `npm test` a share. */

export const isFullSize = process.env.IBATCH_TEST_SIZE === "full";

/** All of them at full size; else one of so many, the first among them. */
export function shareOfTests<T>(all: readonly T[], of: number): T[] {
  return isFullSize ? [...all] : all.filter((_, at) => at % of === 0);
}
