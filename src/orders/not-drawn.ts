import type { Drawn } from "./contract.js";

/** The samples that an epoch has not drawn yet. */
export const notDrawn = (eligible: Readonly<Uint32Array>, { times }: Drawn): Uint32Array =>
  eligible.filter((index) => times[index] === 0);
