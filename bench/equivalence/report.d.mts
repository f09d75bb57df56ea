import type { Difference, Pairing, ValuesBySeed } from "../../src/record/statistics-document.js";
import type { Summary } from "../../src/record/summary-document.js";

export interface Training {
  arm: string;
  fast: boolean;
  accuracies: ValuesBySeed;
}
export function trainingsOf(summary: Pick<Summary, "arms">, fast: boolean): Training[];
export function pairingsOf(trained: Training[], margin: number): Pairing[];
export function verdictOf(difference: Pick<Difference, "n" | "mean" | "equivalence" | "lack">): string;
