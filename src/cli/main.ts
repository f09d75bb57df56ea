#!/usr/bin/env node
/** The entry of the command `ibatch`. It imports next to nothing at first: what hinders the rest is told in a line. */
import { EXIT } from "./exit-codes.js";
import { isOutOfFiles, OUT_OF_FILES } from "./out-of-files.js";
import { stopAtSignals } from "./stop-at-signals.js";

const stop = stopAtSignals(); // first of all: until then Node takes a SIGUSR1 for its debugger's
try {
  const { main } = await import("./command-line.js");
  stop.heedEarlier();
  process.exitCode = await main(process.argv.slice(2), stop);
} catch (error) {
  if (!isOutOfFiles(error)) throw error;
  process.stderr.write(`ibatch: ${OUT_OF_FILES}\n`);
  process.exitCode = EXIT.surroundings;
}
