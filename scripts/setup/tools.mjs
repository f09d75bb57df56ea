// Runs one outside tool (npm, tsc, pip, a Python) without a shell and hands back what it said.
import { spawn } from "node:child_process";

/**
 * Never throws: a tool that cannot be started has `errno` (ENOENT, EACCES), one that was ended has `signal`.
 * `output` is standard output and standard error as they came. `onData` gets the same, as it comes.
 * `giveUp` reads the output so far: once it says true the tool is ended.
 */
export function runTool(command, args, { cwd, env = process.env, timeout, onData, giveUp } = {}) {
  return new Promise((resolve) => {
    let output = "";
    const child = spawn(command, args, { cwd, env, timeout, stdio: ["ignore", "pipe", "pipe"] });
    const take = (text) => {
      output += text;
      onData?.(text);
      if (giveUp?.(output)) child.kill();
    };
    for (const stream of [child.stdout, child.stderr]) stream?.setEncoding("utf8").on("data", take);
    child.on("error", (error) => resolve({ code: null, signal: null, errno: error.code, output }));
    child.on("close", (code, signal) => resolve({ code, signal, errno: null, output }));
  });
}
