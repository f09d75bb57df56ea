/** What begins so is an empty module, once all that is being loaded is there. */
export const SETTLED = "ibatch-settled:";
