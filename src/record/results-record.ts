/** What is made of an experiment's runs: summary, statistics, table and page, by whoever ends last, or is asked to. */
import { join } from "node:path";
import { SharedDirectory } from "./exclusively.js";
import { SUMMARY } from "./experiment-files.js";
import { stampOf } from "./run-places.js";
import { type StatisticsDocument, writeStatistics } from "./statistics-file.js";
import type { Summary } from "./summary-document.js";
import { writeWhole, writeWholeJson } from "./write-file.js";

export interface Results {
  readonly summary: Summary;
  /** Undefined where there are none; those of before are then not of these results. */
  readonly statistics: StatisticsDocument | undefined;
  readonly table: string;
}

/** The directory of an experiment, to one who makes results of its runs. */
export interface ResultsRecord {
  readonly directory: string;
  /** By which it is seen whether results were written. */
  readonly resultsStamp: string | undefined;
  /** Likewise of the page. */
  readonly pageStamp: string | undefined;
  /** Does it with other commands kept out of what is shared here. Nothing may be awaited in it. */
  exclusively<T>(act: () => T): T;
  writeResults(results: Results): void;
  /** Returns its path. */
  writeReport(page: string): string;
}

/** As one sees it who trains nothing there. */
export class ReportedRecord implements ResultsRecord {
  readonly #shared: SharedDirectory;

  constructor(readonly directory: string) {
    this.#shared = new SharedDirectory(directory);
  }

  get resultsStamp(): string | undefined {
    return resultsStampOf(this.directory);
  }

  get pageStamp(): string | undefined {
    return pageStampOf(this.directory);
  }

  exclusively<T>(act: () => T): T {
    return this.#shared.exclusively(act);
  }

  writeResults(results: Results): void {
    this.exclusively(() => writeResultsTo(this.directory, results));
  }

  writeReport(page: string): string {
    return this.exclusively(() => writePageTo(this.directory, page));
  }
}

const PAGE = "report.html";

export const pageStampOf = (directory: string): string | undefined => stampOf(join(directory, PAGE));
export const resultsStampOf = (directory: string): string | undefined => stampOf(join(directory, SUMMARY));

export function writeResultsTo(directory: string, { summary, statistics, table }: Results): void {
  writeWholeJson(join(directory, SUMMARY), summary);
  writeStatistics(directory, statistics);
  writeWhole(join(directory, "table.md"), table);
}

export function writePageTo(directory: string, page: string): string {
  const path = join(directory, PAGE);
  writeWhole(path, page);
  return path;
}
