import type { Asking } from "../backend/supply.js";
import type { WorkClient } from "../training/session.js";

/** Where runs get their backend from. */
export interface Backends {
  /** For a person: where they run, or which job theirs is. */
  readonly name: string;
  /** Somebody else starts them, so that one may be there at any time. */
  readonly isElsewhere: boolean;
  /**
   * One that serves: the same as before for as long as it does.
   * @throws IbatchError where there is none; Interrupted, also when it is over.
   */
  get(asking?: Asking): Promise<WorkClient>;
  /** Ends the one in use: it is lost, and the next one is another. */
  discard(): Promise<void>;
  /** No run is there for it now: what others could use meanwhile is given back, and had anew by the next `get`. */
  rest?(): Promise<void>;
}
