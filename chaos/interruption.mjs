// What must come of it that a command is asked to end in order while a run is under way: a last checkpoint, where it stopped.
import { isDone, newestStep } from "./checkpoints.mjs";
import { interrupted, underWay } from "./told.mjs";

/** For a last checkpoint: the batch under way ends, and what is saved is written. */
const SECONDS = 5;

export class Interruption {
  #arm;
  #seconds;

  /** To be made when the command is about to be asked. */
  constructor(command) {
    this.#arm = underWay(command.lines);
    const asked = performance.now();
    const end = command.onLine((line) => {
      if (interrupted(line)?.arm !== this.#arm) return;
      this.#seconds = (performance.now() - asked) / 1000;
      end();
    });
  }

  /** Of a command that has ended of it: `wasInTime` for a last checkpoint, where a run was under way, and what is wrong. */
  judge({ lines }, out) {
    const arm = this.#arm;
    if (arm === undefined || isDone(out, arm)) return { wasInTime: true, faults: [] };
    const said = lines.map(interrupted).findLast((one) => one?.arm === arm);
    return judgeInterruption({ arm, said, seconds: this.#seconds, newest: newestStep(out, arm) });
  }
}

/**
 * `said`: by the command of the run of `arm`, `seconds` after it was asked; `newest`: the step of its newest checkpoint.
 * At step 0 there is nothing to save.
 */
export function judgeInterruption({ arm, said, seconds, newest }) {
  const fault = (text) => ({ wasInTime: false, faults: [text] });
  if (said === undefined) return fault(`${arm} was under way, and it was not said where it was interrupted`);
  if (said.from !== newest)
    return fault(`${arm} is said to go on from step ${said.from}, and has its newest checkpoint at step ${newest}`);
  if ((said.from ?? 0) === said.step) return { wasInTime: true, faults: [] };
  if (seconds >= SECONDS) return { wasInTime: false, faults: [] };
  return fault(`${arm} was interrupted at step ${said.step}, and has no checkpoint of it: the newest is at ${newest}`);
}
