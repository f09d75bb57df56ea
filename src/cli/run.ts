import { existsSync } from "node:fs";
import { ConfigSource, type Setting } from "../config/config-source.js";
import { Interrupted } from "../errors.js";
import { launch } from "../launch/launch.js";
import { isUntried } from "../record/run-document.js";
import type { Summary } from "../record/summary-document.js";
import { thisCall } from "./called.js";
import { EXIT } from "./exit-codes.js";
import { note } from "./note.js";
import { chooseProgress, type Progress } from "./progress.js";
import { resultsText } from "./results-text.js";
import type { RunOptions } from "./run-command.js";

/** `ibatch run`: returns the exit code. */
export async function run(configPath: string, options: RunOptions, signal: AbortSignal): Promise<number> {
  const source = ConfigSource.read(configPath, settings(options));
  const showing = await chooseProgress(options);
  let progress: Progress | undefined;
  let recordedIn: string | undefined;
  try {
    const { leftOut, stoppedBy, givenUp, ...results } = await launch(source, {
      ...options,
      signal,
      command: thisCall(),
      onChecked: ({ name }) => {
        progress = showing(name);
      },
      observe: (recording) => {
        recordedIn = recording.directory;
        return progress?.observer(recording.log) ?? {};
      },
      onWarning: (line) => {
        progress?.end();
        note(`ibatch: ${line}`);
      },
    });
    progress?.end();
    const { summary } = results;
    process.stdout.write(options.json ? `${JSON.stringify(summary, null, 2)}\n` : resultsText(results));
    for (const line of givenUp) note(`ibatch: ${line}`);
    if (stoppedBy !== undefined) throw stoppedBy;
    tellFailed(summary);
    return exitCode(summary, leftOut);
  } catch (error) {
    progress?.end();
    if (!(error instanceof Interrupted) || recordedIn === undefined || !existsSync(recordedIn)) throw error;
    note(`ibatch: interrupted; what there is of it is in ${recordedIn}; give the same command again to go on`);
    return EXIT.interrupted;
  }
}

function settings({ set, seeds, device, devices, jobs }: RunOptions): Setting[] {
  const all = set.map((assignment) => ({ said: `--set ${assignment}`, assignment }));
  if (seeds !== undefined) {
    all.push({ said: `--seeds ${seeds}`, assignment: `seeds=${seeds.includes(",") ? `[${seeds}]` : seeds}` });
  }
  if (device !== undefined) all.push({ said: `--device ${device}`, assignment: `backend.device=${device}` });
  if (jobs !== undefined) all.push({ said: `--jobs ${jobs}`, assignment: `backend.jobs=${jobs}` });
  if (devices !== undefined) all.push({ said: `--devices ${devices}`, assignment: `backend.devices=[${devices}]` });
  return all;
}

/** What failed is told last: its reasons stand above the tables. */
function tellFailed({ arms }: Summary): void {
  const untried = arms.reduce((sum, arm) => sum + arm.runs.filter(isUntried).length, 0);
  const failed = arms.reduce((sum, arm) => sum + arm.failed, 0) - untried;
  const counted = [
    ...(failed > 0 ? [`${failed === 1 ? "1 run" : `${failed} runs`} failed`] : []),
    ...(untried > 0 ? [`${untried === 1 ? "1 run was" : `${untried} runs were`} not begun`] : []),
  ];
  if (counted.length > 0) note(`ibatch: ${counted.join(", ")}`);
}

/** Damage first: the same command does not mend it. */
function exitCode(summary: Summary, leftOut: readonly string[]): number {
  if (leftOut.length > 0) return EXIT.usage;
  return summary.arms.some((arm) => arm.failed > 0) ? EXIT.runFailed : EXIT.done;
}
