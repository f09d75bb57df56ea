/** Lines of JSON, an epoch each and each epoch once: `metrics.jsonl`, `timings.jsonl`. */
import type { z } from "zod";
import { damage, parseJson, Unreadable } from "./read-file.js";

interface Line {
  readonly epoch: number;
  /** Batches trained on by its end, where the line says so. */
  readonly step?: number;
}

/** Of a run that came to its end. @throws Unreadable */
export function parseLines<T extends Line>(text: string, schema: z.ZodType<T>): T[] {
  const lines = text.split("\n");
  if (lines.pop() !== "") throw damage("its last line is cut off");
  return lines.map((line, at) => parseLine(line, at, schema)).map(inSequence);
}

/** Of a run that may be under way: a line that lacks its end is being written, and is not read. @throws Unreadable */
export const parseLinesSoFar = <T extends Line>(text: string, schema: z.ZodType<T>): T[] =>
  parseLines(text.slice(0, text.lastIndexOf("\n") + 1), schema);

function parseLine<T>(line: string, at: number, schema: z.ZodType<T>): T {
  try {
    return parseJson(line, schema);
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    throw new Unreadable(error.message.replace("(", `(line ${at + 1}: `));
  }
}

function inSequence<T extends Line>(line: T, at: number, lines: readonly T[]): T {
  if (line.epoch !== at) throw damage(`line ${at + 1} is of epoch ${line.epoch}, expected ${at}`);
  const before = lines[at - 1]?.step;
  if (before !== undefined && line.step !== undefined && line.step <= before)
    throw damage(`line ${at + 1} ends at step ${line.step}, the line before it at ${before}`);
  return line;
}
