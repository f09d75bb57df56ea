import type { Drawn } from "./contract.js";

/** The samples that an epoch has not drawn yet. */
export function notDrawn(eligible: Readonly<Uint32Array>, { times }: Drawn): Uint32Array {
  const left = new Uint32Array(eligible.length);
  let count = 0;
  for (let i = 0; i < eligible.length; i++) if (times[eligible[i]] === 0) left[count++] = eligible[i];
  return left.subarray(0, count);
}
