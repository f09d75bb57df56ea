/** The kinds of things that a config can name. What TypeScript owns: */
const OWN_KINDS = ["orders", "batching", "schedules", "losses"] as const;
/** What the backend owns, so that only it can say what there is: */
export const BACKEND_KINDS = ["models", "datasets", "optimizers"] as const;
export const KINDS = [...OWN_KINDS, ...BACKEND_KINDS] as const;

export type OwnKind = (typeof OWN_KINDS)[number];
export type BackendKind = (typeof BACKEND_KINDS)[number];
export type Kind = (typeof KINDS)[number];
