/** What arms can be compared by. */
export const MEASURE_KINDS = ["accuracy", "loss"] as const;
export type MeasureKind = (typeof MEASURE_KINDS)[number];
