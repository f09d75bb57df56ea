import { existsSync } from "node:fs";
import { Interrupted } from "../errors.js";
import { ConfigSource, type Setting } from "../experiment/config-source.js";
import { launch } from "../launch/launch.js";
import type { Summary } from "../report/summary.js";
import { EXIT } from "./exit-codes.js";
import { chooseProgress, note, type Progress } from "./progress.js";
import type { RunOptions } from "./run-command.js";

/** `ibatch run`: returns the exit code. */
export async function run(configPath: string, options: RunOptions, signal: AbortSignal): Promise<number> {
  const source = ConfigSource.read(configPath, settings(options));
  let progress: Progress | undefined;
  let recordedIn: string | undefined;
  try {
    const { directory, summary, table } = await launch(source, {
      ...options,
      signal,
      command: ["ibatch", ...process.argv.slice(2)].join(" "),
      onChecked: ({ name }) => {
        progress = chooseProgress(options, name);
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
    process.stdout.write(
      options.json ? `${JSON.stringify(summary, null, 2)}\n` : `\n${table}\nRecorded in ${directory}\n`,
    );
    return exitCode(summary);
  } catch (error) {
    progress?.end();
    if (!(error instanceof Interrupted) || recordedIn === undefined || !existsSync(recordedIn)) throw error;
    note(`ibatch: interrupted; what is complete is in ${recordedIn}, the same command goes on`);
    return EXIT.interrupted;
  }
}

function settings({ set, seeds, device }: RunOptions): Setting[] {
  const all = set.map((assignment) => ({ said: `--set ${assignment}`, assignment }));
  if (seeds !== undefined) {
    all.push({ said: `--seeds ${seeds}`, assignment: `seeds=${seeds.includes(",") ? `[${seeds}]` : seeds}` });
  }
  if (device !== undefined) all.push({ said: `--device ${device}`, assignment: `backend.device=${device}` });
  return all;
}

const exitCode = (summary: Summary): number =>
  summary.arms.some((arm) => arm.failed > 0) ? EXIT.runFailed : EXIT.done;
