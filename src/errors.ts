/** What a failure means to the person at the terminal; `cli/exit-codes.ts` maps each kind to an exit code. */
export type FailureKind = "usage" | "surroundings" | "run" | "bug";

/** An error whose message is complete for a user: what was seen, what was expected, what to do. */
export class IbatchError extends Error {
  override readonly name = "IbatchError";

  constructor(
    readonly kind: FailureKind,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** The command line or the config is wrong (exit code 2). */
export const usageError = (message: string, options?: ErrorOptions): IbatchError =>
  new IbatchError("usage", message, options);

/** Python, torch, data, disk or a port is missing (exit code 4). */
export const surroundingsError = (message: string, options?: ErrorOptions): IbatchError =>
  new IbatchError("surroundings", message, options);
