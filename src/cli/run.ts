import { join } from "node:path";
import type { BackendClient } from "../backend/client.js";
import { gitCommit } from "../backend/process.js";
import { Interrupted } from "../errors.js";
import { type ExperimentConfig, experimentHash, resolveConfig } from "../experiment/config.js";
import { ConfigSource, type Setting } from "../experiment/config-source.js";
import { runExperiment } from "../experiment/experiment.js";
import { packageRoot, packageVersion } from "../package-root.js";
import { ExperimentRecord } from "../record/experiment-record.js";
import { type Summary, summarise } from "../report/summary.js";
import { renderTable } from "../report/table.js";
import { dataDirectory, openChosenBackend } from "./chosen-backend.js";
import { EXIT } from "./exit-codes.js";
import { chooseProgress, note, type Progress } from "./progress.js";
import type { RunOptions } from "./run-command.js";

/** `ibatch run`: returns the exit code. */
export async function run(configPath: string, options: RunOptions, signal: AbortSignal): Promise<number> {
  const source = ConfigSource.read(configPath, settings(options));
  const early = resolveConfig(source); // what can be wrong without a backend is told before one is started
  const progress = chooseProgress(options, early.name);
  const backendLog = new BackendLog();
  try {
    const backend = await openChosenBackend(options, { config: early.backend, signal, onStderr: backendLog.add });
    try {
      const config = resolveConfig(source, backend.client.introduction.catalogue);
      return await runWith({ client: backend.client, config, options, progress, backendLog, signal });
    } finally {
      await backend.stop();
    }
  } finally {
    progress.end();
  }
}

interface Opened {
  readonly client: BackendClient;
  readonly config: ExperimentConfig;
  readonly options: RunOptions;
  readonly progress: Progress;
  readonly backendLog: BackendLog;
  readonly signal: AbortSignal;
}

async function runWith({ client, config, options, progress, backendLog, signal }: Opened): Promise<number> {
  const hash = experimentHash(config);
  const directory = options.out ?? join("runs", `${config.name}-${hash.slice(0, 8)}`);
  const document = {
    name: config.name,
    hash,
    config,
    command: ["ibatch", ...process.argv.slice(2)].join(" "),
    commit: gitCommit(packageRoot),
    ibatchVersion: packageVersion(),
  };
  const record = ExperimentRecord.open(directory, document, config.record);
  try {
    const observer = progress.observer((line) => record.log(line));
    backendLog.writeTo((line) => record.log(line));
    const results = await runExperiment({ client, config, record, dataDir: dataDirectory(options), observer, signal });
    const summary = summarise(config, results, directory);
    const table = renderTable(summary);
    record.writeSummary(summary, table);
    progress.end();
    process.stdout.write(
      options.json ? `${JSON.stringify(summary, null, 2)}\n` : `\n${table}\nRecorded in ${directory}\n`,
    );
    return exitCode(summary);
  } catch (error) {
    progress.end();
    if (!(error instanceof Interrupted)) throw error;
    note(`ibatch: interrupted; what is complete is in ${directory}, the same command goes on`);
    return EXIT.interrupted;
  } finally {
    backendLog.writeTo(() => {});
    record.close();
  }
}

/** What the backend writes to its standard error, for the record's log; kept until that is open. */
class BackendLog {
  #kept: string[] = [];
  #write = (line: string): void => {
    this.#kept.push(line);
  };

  readonly add = (line: string): void => this.#write(`backend: ${line}`);

  /** Where all lines go from now on, those that were kept first. */
  writeTo(write: (line: string) => void): void {
    this.#write = write;
    for (const line of this.#kept.splice(0)) write(line);
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
