import { whenAborted } from "./when-aborted.js";

/** What a failure means to the person at the terminal; `cli/exit-codes.ts` maps each kind to an exit code. */
export type FailureKind = "usage" | "surroundings" | "run" | "check" | "bug";

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

/** Whatever was thrown, as an error. */
export const asError = (thrown: unknown): Error => (thrown instanceof Error ? thrown : new Error(String(thrown)));

/** The user stopped it. */
export class Interrupted extends IbatchError {
  constructor() {
    super("run", "interrupted");
  }
}

/**
 * What the work gives, unless the signal comes first: nobody waits for the work any more then.
 * @throws Interrupted when the signal came.
 */
export function unlessInterrupted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  let forget = () => {};
  const interrupted = new Promise<never>((_, reject) => {
    forget = whenAborted(signal, () => reject(new Interrupted()));
  });
  return Promise.race([work, interrupted]).finally(() => forget());
}

/** The command line or the config is wrong, or a record is damaged (exit code 2). */
export const usageError = (message: string, options?: ErrorOptions): IbatchError =>
  new IbatchError("usage", message, options);

/** Python, torch, data, disk or a port is missing (exit code 4). */
export const surroundingsError = (message: string, options?: ErrorOptions): IbatchError =>
  new IbatchError("surroundings", message, options);
