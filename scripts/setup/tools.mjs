// Runs one outside tool (npm, tsc, pip, a Python) without a shell and hands back what it said.
import { spawn } from "node:child_process";
import { constants } from "node:os";

/**
 * Never throws: a tool that cannot be started, or takes longer than `timeout` (ms), has `errno` (ENOENT, EACCES,
 * ABORT_ERR); one that was ended has `signal`.
 * `output` is standard output and standard error as they came. `onData` gets the same, as it comes.
 * `giveUp` reads the output so far: once it says true the tool is ended.
 */
export function runTool(command, args, { cwd, env = process.env, timeout, onData, giveUp } = {}) {
  return new Promise((resolve) => {
    let output = "";
    // Not spawn's own timeout: its timer lives on, and keeps this process alive, where the tool cannot be started.
    const signal = timeout ? AbortSignal.timeout(timeout) : undefined;
    const child = spawn(command, args, { cwd, env, signal, stdio: ["ignore", "pipe", "pipe"] });
    const take = (text) => {
      output += text;
      onData?.(text);
      if (giveUp?.(output)) child.kill();
    };
    for (const stream of [child.stdout, child.stderr]) stream?.setEncoding("utf8").on("data", take);
    const release = endWithUs(child);
    child.on("error", (error) => {
      release();
      resolve({ code: null, signal: null, errno: error.code, output });
    });
    child.on("close", (code, signal) => {
      release();
      resolve({ code, signal, errno: null, output });
    });
  });
}

/** What stops us stops the tool, which would go on installing otherwise. Returns what takes that back. */
function endWithUs(child) {
  const handlers = ["SIGINT", "SIGTERM", "SIGHUP"].map((name) => [name, () => stop(name)]);
  const stop = (name) => {
    process.stderr.write("\ninterrupted; give the same command again to go on\n");
    child.once("exit", () => process.exit(128 + constants.signals[name]));
    child.kill("SIGTERM");
  };
  for (const [name, handler] of handlers) process.on(name, handler);
  return () => {
    for (const [name, handler] of handlers) process.off(name, handler);
  };
}
