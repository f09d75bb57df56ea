/** Whether npm, which began this command, is still there: when a signal ends npm alone, it leaves its child running. */
import { parentOf, wordsOf } from "../running-process.js";

const LOOK_MILLISECONDS = 1000;

/**
 * Acts once npm is gone that began this process (`npx ibatch`, or a script of a package that names it), or the shell that npm
 * begins it with. Whoever else began it may end. The look holds no process. Returns what ends it.
 */
export function whenNpmIsGone(
  act: () => void,
  environment: Readonly<Record<string, string | undefined>> = process.env,
  everyMilliseconds = LOOK_MILLISECONDS,
): () => void {
  if (!/\bibatch\b/.test(environment.npm_lifecycle_script ?? "")) return () => {};
  const { ppid } = process;
  const shell = shellOf(ppid);
  const isGone = () =>
    process.ppid !== ppid || (shell !== undefined && (parentOf(ppid) ?? shell.parent) !== shell.parent);
  const timer = setInterval(() => {
    if (!isGone()) return;
    clearInterval(timer);
    act();
  }, everyMilliseconds).unref();
  return () => clearInterval(timer);
}

/** npm's shell stays where npm is killed, and waits for us. Undefined: no such shell, or the system does not say. */
function shellOf(pid: number): { readonly parent: number } | undefined {
  const parent = wordsOf(pid)[1] === "-c" ? parentOf(pid) : undefined;
  return parent === undefined ? undefined : { parent };
}
