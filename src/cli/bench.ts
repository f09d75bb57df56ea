import { existsSync } from "node:fs";
import { dirname } from "node:path";
import { bench } from "../bench/bench.js";
import { caseText, headText, legendText } from "../bench/bench-text.js";
import { usageError } from "../errors.js";
import { LOOPS, writeBenchDocument } from "../record/bench-document.js";
import type { BenchCommandOptions } from "./bench-command.js";
import { thisCall } from "./called.js";
import { EXIT } from "./exit-codes.js";
import { note } from "./note.js";

const RIVALS = LOOPS.filter((name) => name !== "ours");

/** `ibatch bench`: exit code 1 where equal bits are promised and a run has others the second time. */
export async function benchHere(options: BenchCommandOptions, signal: AbortSignal): Promise<number> {
  const { json, against, model, batchSize, augment, ...rest } = options;
  if (json !== undefined && !existsSync(dirname(json))) {
    throw usageError(`--json ${json}: there is no directory ${dirname(json)}`);
  }
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
    begun: (head) => process.stdout.write(headText(head)),
    measured: (benchCase) => process.stdout.write(caseText(benchCase)),
  });
  process.stdout.write(legendText());
  if (json !== undefined) writeBenchDocument(json, document);
  const isPromised = document.machine.device === "cpu" || options.equalBits;
  return isPromised && document.cases.some(({ twice }) => !twice.equal) ? EXIT.no : EXIT.done;
}
