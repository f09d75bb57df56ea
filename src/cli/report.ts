import { renderPage } from "../page/page.js";
import { readReportData } from "../page/read.js";
import { writeReport, writeReportTo } from "../record/report-file.js";
import { readExperiment } from "../results/recorded-experiment.js";
import { readResults } from "../results/recorded-results.js";
import { sayLeftOut } from "./left-out.js";
import type { ReportOptions } from "./report-command.js";

/** `ibatch report`: the page is made from what is on record, and nothing else. Every file of it is checked. */
export async function report(directory: string, options: ReportOptions, signal: AbortSignal): Promise<number> {
  const { out, python } = options;
  const experiment = readExperiment(directory, { withArrays: true });
  const data = readReportData(directory, experiment);
  const { findings } = await readResults(directory, { python, signal, experiment });
  const page = renderPage(data, findings);
  const written = out === undefined ? writeReport(directory, page) : writeReportTo(out, page);
  process.stdout.write(`${written}\n`);
  return sayLeftOut(data.leftOut);
}
