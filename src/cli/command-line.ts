/** The command `ibatch`: wiring only. */
import { Command, CommanderError } from "commander";
import { IbatchError, Interrupted } from "../errors.js";
import { packageVersion } from "../package-root.js";
import { diskRefusal } from "../record/write-file.js";
import { asCalled, exampleAsCalled } from "./called.js";
import { addCommand, inOneLine } from "./command.js";
import { dataCommand } from "./data-command.js";
import { doctorCommand } from "./doctor-command.js";
import { EXIT, EXIT_OF_KIND } from "./exit-codes.js";
import { exportCommand } from "./export-command.js";
import { keysCommand } from "./keys-command.js";
import { listCommand } from "./list-command.js";
import { mergeCommand } from "./merge-command.js";
import { orderCommand } from "./order-command.js";
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
  const program = buildProgram(stop.signal, (outcome) => {
    code = outcome;
  });
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
function buildProgram(signal: AbortSignal, outcome: (code: number) => void): Command {
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
  addCommand(program, runCommand, async ([config], options) => {
    const { run } = await import("./run.js");
    outcome(await run(config, options, signal));
  });
  addCommand(program, mergeCommand, async (directories, options) => {
    const { mergeTo } = await import("./merge.js");
    outcome(await mergeTo(directories, options, signal));
  });
  addCommand(program, statusCommand, async ([directory], options) => {
    const { status } = await import("./status.js");
    outcome(status(directory, options));
  });
  addCommand(program, listCommand, async ([kind], options) => {
    const { list } = await import("./list.js");
    outcome(await list(kind, options, signal));
  });
  addCommand(program, orderCommand, async (names, options) => {
    const { order } = await import("./order.js");
    outcome(await order(names, options, signal));
  });
  addCommand(program, dataCommand, async ([name], options) => {
    const { data } = await import("./data.js");
    outcome(await data(name, options, signal));
  });
  addCommand(program, reportCommand, async ([directory], options) => {
    const { report } = await import("./report.js");
    outcome(await report(directory, options, signal));
  });
  addCommand(program, exportCommand, async ([directory], options) => {
    const { exportTo } = await import("./export.js");
    outcome(await exportTo(directory, options, signal));
  });
  addCommand(program, validateCommand, async ([config], options) => {
    const { validateConfig } = await import("./validate.js");
    outcome(await validateConfig(config, options, signal));
  });
  addCommand(program, trustCommand, async () => {
    const { trust } = await import("./trust.js");
    outcome(trust());
  });
  addCommand(program, keysCommand, async ([directory]) => {
    const { keys } = await import("./keys.js");
    outcome(keys(directory));
  });
  addCommand(program, doctorCommand, async (_, options) => {
    const { doctor } = await import("./doctor.js");
    outcome(await doctor(options, signal));
  });
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
