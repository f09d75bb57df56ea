import { existsSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { bench } from "../bench/bench.js";
import { caseText, headText, legendText } from "../bench/bench-text.js";
import { usageError } from "../errors.js";
import { LOOPS, tryBenchDocument, writeBenchDocument } from "../record/bench-document.js";
import type { BenchCommandOptions } from "./bench-command.js";
import { thisCall } from "./called.js";
import { EXIT } from "./exit-codes.js";
import { note } from "./note.js";

const RIVALS = LOOPS.filter((name) => name !== "ours");

/** `ibatch bench`: exit code 1 where equal bits are promised and a run has others the second time. */
export async function benchHere(options: BenchCommandOptions, signal: AbortSignal): Promise<number> {
  const { json, against, model, batchSize, augment, ...rest } = options;
  if (json !== undefined) refuseUnwritable(json);
  const document = await bench({
    ...rest,
    augments: augment,
    device: options.device ?? "auto",
    threads: options.threads ?? "auto",
    precision: options.precision ?? "float32",
    models: model?.split(","),
    batchSizes: batchSize?.split(",").map(Number),
    against: against === undefined ? undefined : RIVALS.filter((name) => against.split(",").includes(name)),
    command: thisCall(),
    signal,
    note: (line) => note(`ibatch: ${line}`),
    measured: (benchCase, soFar) => {
      if (soFar.cases.length === 1) process.stdout.write(headText(soFar));
      process.stdout.write(caseText(benchCase));
      if (json !== undefined) writeBenchDocument(json, soFar); // those that follow may fail, or be stopped
    },
  });
  process.stdout.write(legendText());
  const isPromised = document.machine.device === "cpu" || options.equalBits;
  return isPromised && document.cases.some(({ twice }) => !twice.equal) ? EXIT.no : EXIT.done;
}

/** Told before minutes of measuring. */
function refuseUnwritable(json: string): void {
  if (!existsSync(dirname(json))) throw usageError(`--json ${json}: there is no directory ${dirname(json)}`);
  if (existsSync(json) && statSync(json).isDirectory()) throw usageError(`--json ${json}: is a directory; name a file`);
  tryBenchDocument(json);
}
