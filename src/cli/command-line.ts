/** The command `ibatch`: wiring only. */
import { Command, CommanderError } from "commander";
import { IbatchError, Interrupted } from "../errors.js";
import { packageVersion } from "../package-root.js";
import { diskRefusal } from "../record/disk-refusal.js";
import { benchCommand } from "./bench-command.js";
import { asCalled, exampleAsCalled } from "./called.js";
import { addCommand, type Calling, inOneLine } from "./command.js";
import { dataCommand } from "./data-command.js";
import { doctorCommand } from "./doctor-command.js";
import { EXIT, EXIT_OF_KIND } from "./exit-codes.js";
import { exportCommand } from "./export-command.js";
import { keysCommand } from "./keys-command.js";
import { listCommand } from "./list-command.js";
import { mergeCommand } from "./merge-command.js";
import { orderCommand } from "./order-command.js";
import { isOutOfFiles, OUT_OF_FILES } from "./out-of-files.js";
import { reportCommand } from "./report-command.js";
import { runCommand } from "./run-command.js";
import { statusCommand } from "./status-command.js";
import { type Stop, stopAtSignals } from "./stop-at-signals.js";
import { trustCommand } from "./trust-command.js";
import { validateCommand } from "./validate-command.js";

/** Runs a command line, unless a signal came before; resolves to the exit code. */
export async function main(argv: readonly string[], stop: Stop = stopAtSignals()): Promise<number> {
  outliveReaders();
  let code: number = EXIT.done;
  const outcome = (result: number) => {
    code = result;
  };
  const program = buildProgram({ signal: stop.signal, outcome });
  try {
    if (stop.signal.aborted) throw new Interrupted();
    await program.parseAsync([...argv], { from: "user" });
  } catch (error) {
    code = report(error);
  } finally {
    stop.release();
  }
  return stop.code() ?? code;
}

/** Every command with its options and help. */
function buildProgram(calling: Calling): Command {
  const program = new Command("ibatch")
    .description("Does the order and the composition of mini-batches change how a network trains?")
    .version(packageVersion())
    .exitOverride()
    .showSuggestionAfterError()
    .configureOutput(inOneLine("ibatch"))
    .addHelpText(
      "after",
      "\nExit codes: 0 done; 1 a check said no, or a bug; 2 the command line or the" +
        "\nconfig is wrong, or a record is damaged; 3 a run failed; 4 something is missing" +
        "\n(Python, torch, data, disk, port); 75 interrupted by SIGUSR1, as before a time" +
        "\nlimit: the same command goes on; 129, 130, 143 interrupted." +
        `\n\nExample:\n  ${exampleAsCalled("ibatch run configs/digits.yaml")}`,
    );
  addCommand(program, runCommand, calling);
  addCommand(program, mergeCommand, calling);
  addCommand(program, statusCommand, calling);
  addCommand(program, listCommand, calling);
  addCommand(program, orderCommand, calling);
  addCommand(program, dataCommand, calling);
  addCommand(program, reportCommand, calling);
  addCommand(program, exportCommand, calling);
  addCommand(program, validateCommand, calling);
  addCommand(program, benchCommand, calling);
  addCommand(program, trustCommand, calling);
  addCommand(program, keysCommand, calling);
  addCommand(program, doctorCommand, calling);
  return program;
}

/** One line on standard error, and the exit code. */
function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage; // commander has said it
  if (error instanceof IbatchError) {
    process.stderr.write(`ibatch: ${asCalled(error.message)}\n`);
    return EXIT_OF_KIND[error.kind];
  }
  const disk = diskFailure(error);
  if (disk !== undefined) {
    process.stderr.write(`ibatch: ${disk}\n`);
    return EXIT.surroundings;
  }
  process.stderr.write(`ibatch: this is a bug, please report it: ${error instanceof Error ? error.stack : error}\n`);
  return EXIT.no;
}

/** What refuses where nobody has said more of it. */
function diskFailure(error: unknown): string | undefined {
  if (isOutOfFiles(error)) return OUT_OF_FILES; // of whatever file
  const reason = diskRefusal(error);
  if (reason === undefined || !(error instanceof Error) || !("path" in error)) return undefined;
  return `${reason}: ${error.path} cannot be used; mend that and give the same command again`;
}

/** Whoever read our output may have gone (`| head -1`, a closed terminal): what is left to do is done without them. */
function outliveReaders(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.off("error", ignoreGone); // `main` may run many times in a process
    stream.on("error", ignoreGone);
  }
}

function ignoreGone(error: NodeJS.ErrnoException): void {
  if (error.code !== "EPIPE" && error.code !== "EIO") throw error;
}
