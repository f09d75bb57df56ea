/** What all runs of an experiment share. */
import type { ExperimentConfig } from "../config/config.js";
import type { OrderSources } from "../config/order-sources.js";
import type { IbatchError } from "../errors.js";
import type { ExperimentRecord } from "../record/experiment-record.js";
import type { Backends } from "./backends.js";
import type { Audience } from "./observer.js";
import type { Share } from "./share.js";

export interface ExperimentInputs {
  readonly config: ExperimentConfig;
  /** Where the config's orders come from. */
  readonly orders: OrderSources;
  readonly workplace: Workplace;
  /** Where it is recorded; its owner knows the sessions again that its runs open. */
  readonly record: ExperimentRecord;
  readonly audience: Audience;
  readonly signal: AbortSignal;
  /** Which of the config's runs this command does; all of them where it is left out. */
  readonly share?: Pick<Share, "has"> | undefined;
  /** Where these runs stand among all that the command does; they are all of them where it is left out. */
  readonly among?: { readonly before: number; readonly total: number };
  /** Why an arm cannot be trained. */
  readonly refused?: ReadonlyMap<string, IbatchError>;
  /** Called once runs on record are known to fit, before any is trained. `toDo`: how many are. */
  accepted?(toDo: number): void;
}

/** Where runs are trained. */
export interface Workplace {
  /** Side by side: each trains one run at a time. The first one answers what is asked before runs begin. */
  readonly pool: readonly [Backends, ...Backends[]];
  /** Directory of the data files, on the backend's side; null: `data`. */
  readonly dataDir: string | null;
}
