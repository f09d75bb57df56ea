import { writeReport, writeReportTo } from "../record/report-file.js";
import { renderPage } from "../report/page/page.js";
import { readReportData } from "../report/page/read.js";
import { readResults } from "../report/recorded-results.js";
import { EXIT } from "./exit-codes.js";
import type { ReportOptions } from "./report-command.js";

/** `ibatch report`: the page is made from what is on record, and nothing else. */
export async function report(directory: string, options: ReportOptions, signal: AbortSignal): Promise<number> {
  const { out, python } = options;
  const data = readReportData(directory); // refuses what is no experiment, before a lock is put there
  const { findings } = await readResults(directory, { python, signal });
  const written =
    out === undefined
      ? writeReport(directory, () => renderPage(readReportData(directory), findings))
      : writeReportTo(out, renderPage(data, findings));
  process.stdout.write(`${written}\n`);
  return EXIT.done;
}
