/** Of any number of values: a call takes some hundred thousand arguments at most, and runs may have more epochs together. */

/** −∞ of none. */
export const largestOf = (values: readonly number[]): number =>
  values.reduce((largest, value) => Math.max(largest, value), Number.NEGATIVE_INFINITY);

/** ∞ of none. */
export const smallestOf = (values: readonly number[]): number =>
  values.reduce((smallest, value) => Math.min(smallest, value), Number.POSITIVE_INFINITY);
