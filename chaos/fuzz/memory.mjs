// By how much a process grows once it is warm.
import { readFileSync } from "node:fs";

const WARM_SHARE = 0.1;

export class Memory {
  #pid;
  #count;
  #before;
  #most = 0;
  #last = 0;

  /** `count`: of messages, of which a tenth make it warm. */
  constructor(pid, count) {
    this.#pid = pid;
    this.#count = count;
  }

  /** To be called after each message. */
  look(done) {
    if (done < WARM_SHARE * this.#count || (done < this.#count && done - this.#last < this.#count / 100)) return;
    this.#last = done;
    const now = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${this.#pid}/status`, "utf8"))[1]) / 1024;
    this.#before ??= now;
    this.#most = Math.max(this.#most, now);
  }

  get grewMiB() {
    return Math.round(this.#most - (this.#before ?? this.#most));
  }
}
