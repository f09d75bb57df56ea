/** What a run's passes cost, in one unit. */
import type { EpochMetrics } from "./epoch-metrics.js";

/**
 * Forward passes that a backward pass costs: it has two products of matrices where the forward pass has one, that of the
 * gradient by the inputs and that by the weights. The usual convention (Amodei and Hernandez 2018, "AI and Compute"; Kaplan
 * et al. 2020, arXiv 2001.08361, section 2.1), not a measurement.
 */
export const BACKWARD_IN_FORWARDS = 2;

/** Samples that passes were spent on; one that was drawn twice counts twice. */
export type Work = Readonly<Pick<EpochMetrics, "samples" | "scored">>;

/** Those trained on take a forward and a backward pass, those scored a forward one. */
export const forwardEquivalents = ({ samples, scored }: Work): number => (1 + BACKWARD_IN_FORWARDS) * samples + scored;
