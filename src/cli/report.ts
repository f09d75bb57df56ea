import { writeReport, writeReportTo } from "../record/report-file.js";
import { renderPage } from "../report/page/page.js";
import { readReportData } from "../report/page/read.js";
import { EXIT } from "./exit-codes.js";
import type { ReportOptions } from "./report-command.js";

/** `ibatch report`: the page is made from what is on record, and nothing else. */
export async function report(directory: string, { out }: ReportOptions): Promise<number> {
  const first = readReportData(directory); // refuses what is no experiment, before a lock is put there
  const written =
    out === undefined
      ? writeReport(directory, () => renderPage(readReportData(directory)))
      : writeReportTo(out, renderPage(first));
  process.stdout.write(`${written}\n`);
  return EXIT.done;
}
