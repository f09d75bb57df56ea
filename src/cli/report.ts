import { makeResultsOnRecord, renderedPage } from "../launch/results-on-record.js";
import { readExperimentDocument } from "../record/experiment-document.js";
import { writePageElsewhere } from "../record/page-elsewhere.js";
import { ReportedRecord } from "../record/results-record.js";
import { readExperiment } from "../results/recorded-experiment.js";
import { refuseTrials } from "../results/recorded-results.js";
import { sayLeftOut } from "./left-out.js";
import type { ReportOptions } from "./report-command.js";

/** `ibatch report`: all is made from what is on record, and nothing else. Every file of it is checked. */
export async function report(directory: string, options: ReportOptions, signal: AbortSignal): Promise<number> {
  const { page, leftOut } = await made(directory, options, signal);
  process.stdout.write(`${page}\n`);
  return sayLeftOut(leftOut);
}

async function made(directory: string, { out, python }: ReportOptions, signal: AbortSignal) {
  if (out === undefined) {
    refuseTrials(directory, { document: readExperimentDocument(directory) });
    const record = new ReportedRecord(directory);
    return await makeResultsOnRecord(record, { python, signal, withArrays: true, onWarning: () => {} });
  }
  const experiment = readExperiment(directory, { withArrays: true });
  const { html, leftOut } = await renderedPage(directory, { python, signal, experiment });
  return { page: writePageElsewhere(out, html), leftOut };
}
