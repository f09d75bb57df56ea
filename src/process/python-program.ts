/** Python programs of ours that get their input, answer on standard output, and end. */
import { IbatchError, surroundingsError, unlessInterrupted } from "../errors.js";
import { endedWith } from "./fault-dump.js";
import { LastLines, onLines, withLastLines } from "./output-lines.js";
import { describeEnding, type Ending, ProcessGroup } from "./process-group.js";
import { type Child, cannotStart, spawnPython } from "./spawn.js";

export interface PythonProgram {
  /** Python interpreter. */
  readonly python: string;
  /** Directory that holds our Python packages. */
  readonly packageRoot: string;
  /** What follows `python -m`. */
  readonly module: string;
  /** What it gets on standard input. */
  readonly input: string;
  /** Seconds until it must have ended. */
  readonly limitSeconds: number;
  /** Ends it. */
  readonly signal: AbortSignal;
}

/** Exit code by which our programs say that something is missing. */
export const EXIT_SURROUNDINGS = 4;

const LINES_KEPT = 40;

/**
 * Runs a program of ours on one thread to its end, and gives what it wrote on standard output. When this settles, the
 * program is gone.
 * @throws IbatchError with what it said on standard error, when it fails or takes too long; Interrupted.
 */
export async function runPython(program: PythonProgram): Promise<string> {
  const child = spawnPython({ ...program, args: [], threads: 1 });
  const group = new ProcessGroup(child);
  try {
    return await unlessInterrupted(program.signal, outputOf(child, group, program));
  } finally {
    await group.kill();
  }
}

async function outputOf(child: Child, group: ProcessGroup, program: PythonProgram): Promise<string> {
  const { python, module, input, limitSeconds } = program;
  const stderr = new LastLines(LINES_KEPT);
  if (child.stderr !== null) onLines(child.stderr, stderr.add);
  let output = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    output += text;
  });
  child.stdin?.end(input);
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const refusal = surroundingsError(`${module} did not end within ${limitSeconds} s (${python})`);
    timer = setTimeout(() => reject(refusal), limitSeconds * 1000);
  });
  try {
    const ending = await Promise.race([group.ended, late]);
    refuseFailure(program, ending, stderr.lines);
    return output;
  } finally {
    clearTimeout(timer);
  }
}

function refuseFailure({ python, module }: PythonProgram, ending: Ending, stderr: readonly string[]): void {
  if ("notStarted" in ending) throw cannotStart(python, ending.notStarted);
  if (ending.code === 0) return;
  if (ending.code === EXIT_SURROUNDINGS) throw surroundingsError(stderr.at(-1) ?? `${module} cannot run (${python})`);
  // Only we call it: what it finds wrong, we did wrong.
  const { how, said } = endedWith(describeEnding(ending), stderr);
  throw new IbatchError("bug", `${module} failed (${python}): ${withLastLines(how, said)}`);
}
