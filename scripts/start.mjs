// `npm start [-- args]`: sets up, then runs the digits experiment, with any further arguments.
import { spawn } from "node:child_process";
import os from "node:os";
import { join, relative } from "node:path";
import { ROOT } from "./setup/site.mjs";
import { orExit, setUp, takePython } from "./setup.mjs";

const { python, rest } = await orExit(prepare);
const child = spawn(process.execPath, commandLine(rest), {
  stdio: "inherit",
  env: { ...process.env, IBATCH_PYTHON: python },
});
passOnSignals(child);
child.on("close", (code, signal) => process.exit(code ?? 128 + os.constants.signals[signal]));

async function prepare() {
  const { python: given, rest } = takePython(process.argv.slice(2));
  const { python } = await setUp({ python: given });
  return { python, rest: given ? ["--python", python, ...rest] : rest };
}

function commandLine(args) {
  const here = (path) => relative(process.cwd(), join(ROOT, path));
  return [here("dist/cli/main.js"), "run", here("configs/digits.yaml"), ...args];
}

/** The child decides when it is over. On a terminal Ctrl-C reaches it directly, so that a second one would be too many. */
function passOnSignals(child) {
  const onTerminal = [process.stdin, process.stdout, process.stderr].some((stream) => stream.isTTY);
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
    process.on(signal, () => {
      if (signal !== "SIGINT" || !onTerminal) child.kill(signal);
    });
  }
}
