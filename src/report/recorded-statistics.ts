/** `statistics.json`: the answer of the statistics, which needs no Python a second time. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import { STATISTICS } from "../record/experiment-files.js";
import { type Statistics, type StatisticsRequest, statisticsSchema } from "./statistics.js";

const recorded = z.object({ request: z.unknown(), answer: statisticsSchema });

/** Undefined where nothing is on record, or the answer is to another request. */
export function recordedAnswer(directory: string, request: StatisticsRequest): Statistics | undefined {
  const path = join(directory, STATISTICS);
  if (!existsSync(path)) return undefined;
  const read = recorded.safeParse(parsed(readFileSync(path, "utf8")));
  const isSame = read.success && isDeepStrictEqual(read.data.request, JSON.parse(JSON.stringify(request)));
  return isSame ? read.data.answer : undefined;
}

/** Undefined for what is no JSON: it is computed anew. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
