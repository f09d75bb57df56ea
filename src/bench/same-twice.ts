/** The same run begun twice, and whether its losses and weights have the same bits. */
import type { BenchCase } from "../record/bench-document.js";
import { sha256 } from "../record/hash.js";
import { type DriveInputs, drive } from "../validate/drive.js";
import type { Case } from "./cases.js";

/** Enough for momentum, and for a step that is recorded: it is from its fourth on. */
const MOST_BATCHES = 5;

export const batchesOf = ({ samples, batchSize }: Pick<Case, "samples" | "batchSize">): number =>
  Math.min(MOST_BATCHES, Math.ceil(samples / batchSize));

/** `begin` gives the inputs of a run that was not begun. */
export async function sameTwice(begin: () => DriveInputs): Promise<BenchCase["twice"]> {
  const first = await hashed(begin());
  const second = await hashed(begin());
  return {
    batches: first.batches,
    equal: first.weights === second.weights && first.losses === second.losses,
    weightsSha256: [first.weights, second.weights],
    lossesSha256: [first.losses, second.losses],
  };
}

async function hashed(inputs: DriveInputs) {
  const { weights, losses } = await drive(inputs);
  const last = weights[weights.length - 1];
  return { batches: inputs.batches, weights: sha256(last.values), losses: sha256(losses) };
}
