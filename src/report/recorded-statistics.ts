/** `statistics.json`: the answer of the statistics, which needs no Python a second time. */
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import { STATISTICS } from "../record/experiment-files.js";
import { Unreadable } from "../record/read-file.js";
import { readSealed } from "../record/sealed.js";
import { type Statistics, type StatisticsRequest, statisticsSchema } from "./statistics.js";

const recorded = z.object({ request: z.unknown(), answer: statisticsSchema });

/** Undefined where nothing is on record, or the answer is to another request, or was changed since: it is computed anew. */
export function recordedAnswer(directory: string, request: StatisticsRequest): Statistics | undefined {
  try {
    const read = readSealed(join(directory, STATISTICS), recorded, "refuse");
    return isDeepStrictEqual(read.request, JSON.parse(JSON.stringify(request))) ? read.answer : undefined;
  } catch (error) {
    if (error instanceof Unreadable) return undefined;
    throw error;
  }
}
