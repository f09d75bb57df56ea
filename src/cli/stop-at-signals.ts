/** How signals stop a command. It imports next to nothing: signals are listened to before the rest is there. */
import inspector from "node:inspector";
import { EXIT } from "./exit-codes.js";
import { whenNpmIsGone } from "./npm-gone.js";

/**
 * One wish may arrive more than once: npm passes on a Ctrl-C that the terminal has sent to us, too, and a shell the
 * hang-up of its terminal, within milliseconds. A person's second Ctrl-C comes later, or is followed by a third.
 */
export const ECHO_MILLISECONDS = 500;

export interface Stop {
  /** Aborted by the first signal. */
  readonly signal: AbortSignal;
  /** Makes up for a SIGUSR1 that came before anybody listened. */
  heedEarlier(): void;
  /** Leaves signals to Node again. */
  release(): void;
  /** The exit code that the first signal asks for; undefined where none came. */
  code(): number | undefined;
}

/**
 * The first Ctrl-C, SIGTERM, SIGHUP or SIGUSR1 stops in order; one that is no echo of it ends the process at once. The end
 * of npm, where that began this process, counts as SIGTERM.
 */
export function stopAtSignals(echoMilliseconds = ECHO_MILLISECONDS): Stop {
  const stopping = new AbortController();
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
    ["SIGUSR1", on(EXIT.tryAgain)],
  ] as const;
  for (const [signal, handler] of handlers) process.on(signal, handler);
  const forgetNpm = whenNpmIsGone(() => {
    if (code !== undefined) return;
    process.stderr.write("ibatch: npm, which began this, has ended: ending as by SIGTERM\n");
    on(EXIT.terminated)();
  });
  return {
    signal: stopping.signal,
    heedEarlier: () => {
      if (closeDebugger()) process.emit("SIGUSR1");
    },
    release: () => {
      clearTimeout(timer);
      forgetNpm();
      for (const [signal, handler] of handlers) process.off(signal, handler);
    },
    code: () => code,
  };
}

/** An echo that came while this process was busy is heard behind timers, and before what is immediate. */
const afterEchoes = (milliseconds: number, then: () => void): NodeJS.Timeout =>
  setTimeout(() => setImmediate(then), milliseconds).unref();

/** Node opens its debugger at a SIGUSR1 that nobody listens to. Returns whether it did; one that a person wants stays open. */
function closeDebugger(): boolean {
  const isWanted = process.execArgv.some((option) => option.startsWith("--inspect")) || isPreloaded();
  if (isWanted || inspector.url() === undefined) return false;
  inspector.close();
  return true;
}

/** An editor's debugger is loaded by NODE_OPTIONS, and opens Node's. */
const isPreloaded = (): boolean => /(^|\s)(-r|--(inspect|require|import))/.test(process.env.NODE_OPTIONS ?? "");
