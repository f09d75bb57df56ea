/** How signals stop a command. */
import { EXIT } from "./exit-codes.js";

/**
 * One wish may arrive more than once: npm passes on a Ctrl-C that the terminal has sent to us, too, and a shell the
 * hang-up of its terminal, within milliseconds. A person's second Ctrl-C comes later, or is followed by a third.
 */
export const ECHO_MILLISECONDS = 500;

export interface Stop {
  /** Leaves signals to Node again. */
  release(): void;
  /** The exit code that the first signal asks for; undefined where none came. */
  code(): number | undefined;
}

/** The first Ctrl-C, SIGTERM, SIGHUP or SIGUSR1 stops in order; one that is no echo of it ends the process at once. */
export function stopAtSignals(stopping: AbortController, echoMilliseconds = ECHO_MILLISECONDS): Stop {
  let code: number | undefined;
  let mayBeEcho = true;
  let timer: NodeJS.Timeout | undefined;
  const on = (exitCode: number) => () => {
    if (code === undefined) {
      code = exitCode;
      timer = afterEchoes(echoMilliseconds, () => {
        mayBeEcho = false;
      });
      stopping.abort();
    } else if (!mayBeEcho) process.exit(code);
  };
  const handlers = [
    ["SIGINT", on(EXIT.interrupted)],
    ["SIGTERM", on(EXIT.terminated)],
    ["SIGHUP", on(EXIT.hungUp)],
    ["SIGUSR1", on(EXIT.timeLimit)],
  ] as const;
  for (const [signal, handler] of handlers) process.on(signal, handler);
  return {
    release: () => {
      clearTimeout(timer);
      for (const [signal, handler] of handlers) process.off(signal, handler);
    },
    code: () => code,
  };
}

/** An echo that came while this process was busy is heard behind timers, and before what is immediate. */
const afterEchoes = (milliseconds: number, then: () => void): NodeJS.Timeout =>
  setTimeout(() => setImmediate(then), milliseconds).unref();
