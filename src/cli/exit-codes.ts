import type { FailureKind } from "../errors.js";

/** What a command's exit code says; `ibatch --help` says the same. */
export const EXIT = {
  done: 0,
  /** A check said no, or a bug of ours. */
  no: 1,
  /** The command line or the config is wrong, or a record is damaged: a line says what to put right. */
  usage: 2,
  /** A run failed; the others are there. */
  runFailed: 3,
  /** Python, torch, data, disk or a port is missing. */
  surroundings: 4,
  /** SIGUSR1, a warning of the time limit: the same command goes on. `EX_TEMPFAIL` of sysexits.h, which no signal's code is. */
  tryAgain: 75,
  hungUp: 129,
  interrupted: 130,
  terminated: 143,
} as const;

export const EXIT_OF_KIND: Readonly<Record<FailureKind, number>> = {
  usage: EXIT.usage,
  surroundings: EXIT.surroundings,
  run: EXIT.runFailed,
  check: EXIT.no,
  bug: EXIT.no,
};
