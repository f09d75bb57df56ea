/** Summary, statistics, table and page of what a run directory holds, whichever commands made it. */
import type { ExperimentConfig } from "../config/config.js";
import { asError, Interrupted } from "../errors.js";
import type { Findings } from "../record/findings-document.js";
import type { ResultsRecord } from "../record/results-record.js";
import type { Summary } from "../record/summary-document.js";
import { leftOutOfTable } from "../results/left-out.js";
import { type ReadOptions, type RecordedExperiment, readExperiment } from "../results/recorded-experiment.js";
import { readResults } from "../results/recorded-results.js";
import { makeResults } from "../results/results.js";
import { UNEQUAL_WORK } from "../results/unequal-work.js";

export interface ResultsOptions extends ReadOptions {
  /** For the statistics, where they are not on record. */
  readonly python?: string | undefined;
  readonly signal: AbortSignal;
  /** Whose arms and seeds summary and table are of; all on record where it is left out, as the page. */
  readonly asked?: ExperimentConfig;
  /** Whether the page is left to others who write results here later, asked when it would be made. */
  leavesPage?(): boolean;
  /** Called with what is damaged, and so left out: a line each. */
  onWarning(line: string): void;
  /** Called with what belongs into the log. */
  log?(line: string): void;
  /** Called with a line where there is no page; where it is left out, that is thrown. */
  onPageFailure?(line: string): void;
}

export interface ResultsMade {
  /** The report's path; undefined where it could not be made, or is left to other commands. */
  readonly page: string | undefined;
  readonly summary: Summary;
  readonly findings: Findings;
  /** Both as Markdown. */
  readonly table: string;
  /** What is damaged on record, and so in neither of them, or not in `report.html`: a line each. */
  readonly leftOut: readonly string[];
}

/**
 * Of what the directory holds now. Whoever finds that others wrote theirs meanwhile reads anew: so nothing is written over what
 * was read later, and of commands that work there at a time, those of the last one to end a run are of all.
 * @throws IbatchError where it holds no experiment, or `experiment.json` is damaged; Interrupted.
 */
export async function makeResultsOnRecord(record: ResultsRecord, options: ResultsOptions): Promise<ResultsMade> {
  for (;;) {
    const tell = await resultsNow(record, options);
    if (tell !== undefined) return tell();
  }
}

/** Returns what tells of them; undefined where others wrote theirs meanwhile. */
async function resultsNow(record: ResultsRecord, options: ResultsOptions): Promise<(() => ResultsMade) | undefined> {
  const { log, onWarning, leavesPage } = options;
  const resultsTurn = new Turn(record, () => record.resultsStamp);
  const pageTurn = new Turn(record, () => record.pageStamp);
  const experiment = readExperiment(record.directory, options);
  const { statistics, damaged, ...results } = await resultsOf(experiment, record.directory, options);
  const { request, answer } = statistics;
  resultsTurn.write(() =>
    record.writeResults({ ...results, statistics: answer && { request, answer, findings: results.findings } }),
  );
  if (resultsTurn.isLost) return undefined;
  const written = leavesPage?.() ? undefined : await writePage(record, experiment, options, pageTurn);
  if (pageTurn.isLost) return undefined;
  return () => {
    for (const note of results.findings.notes.filter(isOnWork)) log?.(note);
    const leftOut = [...new Set([...damaged.map(({ damage }) => damage), ...(written?.leftOut ?? [])])];
    for (const line of leftOut) onWarning(`left out: ${line}`);
    return { page: written?.page, ...results, leftOut };
  };
}

/**
 * To write results, or the page, for as long as nobody else does, from when runs are read on. Results of others cost nobody the
 * turn of the page, which they make after them: else those who end together make each other begin anew for ever.
 */
class Turn {
  readonly #record: ResultsRecord;
  readonly #stampNow: () => string | undefined;
  readonly #stamp: string | undefined;
  #isLost = false;

  constructor(record: ResultsRecord, stampNow: () => string | undefined) {
    this.#record = record;
    this.#stampNow = stampNow;
    this.#stamp = stampNow();
  }

  get isLost(): boolean {
    return this.#isLost;
  }

  /** Unless it is lost. */
  write<T>(act: () => T): T | undefined {
    return this.#record.exclusively(() => {
      this.#isLost ||= this.#stampNow() !== this.#stamp;
      return this.#isLost ? undefined : act();
    });
  }
}

/** Arms that cost more or less than others: said in the log, too. */
const isOnWork = (note: string): boolean => note.startsWith(UNEQUAL_WORK);

/** Of exactly the arms and seeds that were asked for, as they lie in the directory. */
async function resultsOf(recorded: RecordedExperiment, directory: string, { asked, python, signal }: ResultsOptions) {
  const isAsked = ({ arm, seed }: { readonly arm: string; readonly seed: number | undefined }) =>
    asked === undefined || (asked.arms[arm] !== undefined && (seed === undefined || asked.seeds.includes(seed)));
  const damaged = recorded.damaged.filter(isAsked);
  const made = { directory, python, signal };
  const results = await makeResults(asked ?? recorded.planned, recorded.runs.filter(isAsked), made);
  return { ...results, table: results.table + leftOutOfTable(damaged), damaged };
}

interface MadePage {
  readonly page: string;
  /** What it is made without. */
  readonly leftOut: readonly string[];
}

/** `report.html`, of all that is on record. */
async function writePage(
  record: ResultsRecord,
  experiment: RecordedExperiment,
  { python, signal, onPageFailure }: ResultsOptions,
  turn: Turn,
): Promise<MadePage | undefined> {
  try {
    const { html, leftOut } = await renderedPage(record.directory, { python, signal, experiment });
    const page = turn.write(() => record.writeReport(html));
    return page === undefined ? undefined : { page, leftOut };
  } catch (error) {
    if (error instanceof Interrupted || onPageFailure === undefined) throw error;
    onPageFailure(`report.html could not be made: ${asError(error).message}`);
    return undefined;
  }
}

/** The page of all that is on record. What draws it is loaded when it is asked for. */
export async function renderedPage(
  directory: string,
  { experiment, ...options }: { python: string | undefined; signal: AbortSignal; experiment: RecordedExperiment },
): Promise<{ readonly html: string; readonly leftOut: readonly string[] }> {
  const { renderPage } = await import("../page/page.js");
  const { readReportData } = await import("../page/read.js");
  const { findings } = await readResults(directory, { ...options, experiment });
  const data = readReportData(directory, experiment);
  return { html: renderPage(data, findings), leftOut: data.leftOut };
}
