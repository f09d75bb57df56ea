#!/usr/bin/env node
/** The entry of the command `ibatch`. It imports next to nothing at first: what hinders the rest is told in a line. */
import { EXIT } from "./exit-codes.js";
import { stopAtSignals } from "./stop-at-signals.js";

const stop = stopAtSignals(); // first of all: until then Node takes a SIGUSR1 for its debugger's
try {
  const { main } = await import("./command-line.js");
  stop.heedEarlier();
  process.exitCode = await main(process.argv.slice(2), stop);
} catch (error) {
  if (!isOutOfFiles(error)) throw error;
  process.stderr.write("ibatch: too many files are open: raise `ulimit -n`, to 256 at least\n");
  process.exitCode = EXIT.surroundings;
}

/** Node opens all that a module imports at once. */
function isOutOfFiles(error: unknown): boolean {
  return error instanceof Error && "code" in error && (error.code === "EMFILE" || error.code === "ENFILE");
}
