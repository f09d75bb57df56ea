import { type FailureKind, IbatchError } from "../errors.js";
import { withLastLines } from "../process/output-lines.js";

/** The backend's closed list of error codes (docs/PROTOCOL.md, section "Errors"), and whose fault each one is. */
export const ERROR_CODES = {
  too_large: "bug",
  bad_message: "bug",
  bad_version: "surroundings",
  unknown_type: "bug",
  bad_field: "bug",
  bad_array: "bug",
  unknown_name: "usage",
  bad_option: "usage",
  not_allowed: "usage",
  module_missing: "surroundings",
  bad_reference: "usage",
  bad_index: "run",
  data_missing: "surroundings",
  data_damaged: "surroundings",
  no_device: "surroundings",
  no_shared_memory: "surroundings",
  unknown_session: "run",
  session_busy: "surroundings",
  session_failed: "run",
  step_gap: "run",
  step_conflict: "run",
  hash_mismatch: "run",
  bad_state: "run",
  out_of_memory: "run",
  device_broken: "run",
  cancelled: "run",
  shutting_down: "run",
  internal: "run",
} as const satisfies Record<string, FailureKind>;

export type ErrorCode = keyof typeof ERROR_CODES;

export const isErrorCode = (code: string): code is ErrorCode => Object.hasOwn(ERROR_CODES, code);

/** What the backend, or the codec in its stead, answered instead of the result. */
export class BackendError extends IbatchError {
  constructor(
    readonly code: ErrorCode,
    message: string,
    readonly details: Readonly<Record<string, unknown>> = {},
  ) {
    super(ERROR_CODES[code], message);
  }
}

/** The backend is gone or silent: nothing that was asked of it will be answered. One run fails; the next gets another. */
export class BackendLost extends IbatchError {
  /**
   * @param how what became of it, for a person.
   * @param said the last lines of its output.
   * @param underWay what it was asked for.
   */
  constructor(
    readonly how: string,
    readonly said: readonly string[] = [],
    readonly underWay?: string,
  ) {
    const what = underWay === undefined ? how : `${how}; under way: ${underWay}`;
    super("run", withLastLines(what, said));
  }

  /** The same, with what it was asked for. */
  during(underWay: string): BackendLost {
    return new BackendLost(this.how, this.said, underWay);
  }
}

/** Nobody is at the endpoint of a backend that the user starts: it was waited for, and is not waited for again. */
export class NothingListens extends IbatchError {
  constructor(message: string) {
    super("surroundings", message);
  }
}
