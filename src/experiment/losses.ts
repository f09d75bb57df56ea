/** What ends an experiment before its last run: backends that are lost in a row, or something that is missing. */
import type { BackendLost } from "../backend/errors.js";
import { IbatchError } from "../errors.js";
import type { RunPlace } from "./observer.js";

const LOSSES_IN_A_ROW = 3;

/** What no other run would fare better with: runs in a row that lost their backend, or something that is missing. */
export class Losses {
  #inARow = 0;
  #refusal: IbatchError | undefined;
  #stoppedBy: IbatchError | undefined;

  /** Why no other run is tried, once that is so. */
  get refusal(): IbatchError | undefined {
    return this.#refusal;
  }

  get stoppedBy(): IbatchError | undefined {
    return this.#stoppedBy;
  }

  stop(missing: IbatchError): void {
    this.#stoppedBy = missing;
    this.#refusal = new IbatchError("run", `not tried: ${missing.message}`);
  }

  count({ arm, seed }: RunPlace, lost: BackendLost | undefined): void {
    this.#inARow = lost === undefined ? 0 : this.#inARow + 1;
    if (lost === undefined || this.#inARow < LOSSES_IN_A_ROW) return;
    const last = `the last one: arm ${arm}, seed ${seed}`;
    this.#refusal = new IbatchError("run", `not tried: ${LOSSES_IN_A_ROW} runs in a row lost their backend (${last})`);
  }
}
