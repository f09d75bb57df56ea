/** `statistics.json`: the answer of the statistics, which needs no Python a second time, and what was made of it. */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import { findingsDocument } from "./findings-document.js";
import { Unreadable } from "./read-file.js";
import { readSealed, writeSealed } from "./sealed.js";
import { type Statistics, type StatisticsRequest, statisticsAnswer, statisticsRequest } from "./statistics-document.js";
import { asRecorded } from "./write-file.js";

export const STATISTICS = "statistics.json";

const document = z.strictObject({
  request: statisticsRequest,
  answer: statisticsAnswer,
  findings: findingsDocument,
});
export type StatisticsDocument = Readonly<z.infer<typeof document>>;

/** Undefined: there are none, and those of before are not of these results. */
export function writeStatistics(directory: string, statistics: StatisticsDocument | undefined): void {
  const path = join(directory, STATISTICS);
  if (statistics === undefined) rmSync(path, { force: true });
  else writeSealed(path, statistics);
}

/** What is needed not to ask again, whatever was found by it at the time. */
const answered = z.object({ request: document.shape.request, answer: document.shape.answer });

/** Undefined where nothing is on record, or the answer is to another request, or was changed since: it is computed anew. */
export function readAnswer(directory: string, request: StatisticsRequest): Statistics | undefined {
  try {
    const recorded = readSealed(join(directory, STATISTICS), answered, "refuse");
    return isDeepStrictEqual(recorded.request, asRecorded(request)) ? recorded.answer : undefined;
  } catch (error) {
    if (error instanceof Unreadable) return undefined;
    throw error;
  }
}
