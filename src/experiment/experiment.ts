/** Arms × seeds: every run of a config, those that are recorded already left as they are. */
import { BackendLost } from "../backend/errors.js";
import { IbatchError, usageError } from "../errors.js";
import type { ExperimentRecord } from "../record/experiment-record.js";
import type { EpochMetrics, RunDocument, RunRecord } from "../record/run-record.js";
import { type ArmConfig, armHash, type ExperimentConfig } from "./config.js";
import type { Observer, RunPlace } from "./observer.js";
import { runOne } from "./run.js";
import { Interrupted, type WorkClient } from "./session.js";

export interface ExperimentInputs {
  readonly client: WorkClient;
  readonly config: ExperimentConfig;
  readonly record: ExperimentRecord;
  readonly dataDir: string | null;
  readonly observer: Observer;
  readonly signal: AbortSignal;
}

/** A run as it stands, with its recorded epochs. */
export interface RunResult {
  readonly arm: string;
  readonly seed: number;
  readonly state: RunDocument["state"];
  readonly error?: string | undefined;
  readonly divergedAtStep?: number | undefined;
  readonly metrics: readonly EpochMetrics[];
}

interface PlannedRun {
  readonly place: RunPlace;
  readonly config: ArmConfig;
  readonly record: RunRecord;
  readonly document: RunDocument;
  readonly finished: RunDocument | undefined;
}

/**
 * Runs what is missing of the experiment, seed by seed, so that arms stay comparable whenever it ends.
 * A run that fails is recorded and the others go on.
 * @throws Interrupted when the signal says so; IbatchError when recorded runs are of another config.
 */
export async function runExperiment(inputs: ExperimentInputs): Promise<RunResult[]> {
  const results: RunResult[] = [];
  const runs = planRuns(inputs);
  inputs.record.writeDocument();
  for (const run of runs) {
    if (inputs.signal.aborted) throw new Interrupted();
    if (run.finished === undefined) inputs.observer.runStarted?.(run.place);
    const ended = run.finished ?? (await runAndRecord(inputs, run));
    const { arm, seed, state, error, divergedAtStep } = ended;
    const metrics = state === "failed" ? [] : run.record.readMetrics();
    const last = metrics.at(-1);
    inputs.observer.runEnded?.(run.place, { state, kept: run.finished !== undefined, error, divergedAtStep, last });
    results.push({ arm, seed, state, error, divergedAtStep, metrics });
  }
  return results;
}

/** Every run in the order of running. All recorded ones are checked before the first one starts. */
function planRuns({ config, record }: ExperimentInputs): PlannedRun[] {
  const arms = Object.entries(config.arms);
  const total = arms.length * config.seeds.length;
  return config.seeds.flatMap((seed, round) =>
    arms.map(([arm, armConfig], at): PlannedRun => {
      const runRecord = record.run(arm, seed);
      const configHash = armHash(armConfig, config.evaluation);
      const before = runRecord.read();
      if (before !== undefined && before.configHash !== configHash) {
        throw usageError(
          `${runRecord.directory} holds arm ${arm} with other settings (${before.configHash.slice(0, 8)}, ` +
            `now ${configHash.slice(0, 8)}): name another directory with --out, or give the arm another name`,
        );
      }
      return {
        place: { arm, seed, number: round * arms.length + at, total, epochs: armConfig.epochs },
        config: armConfig,
        record: runRecord,
        document: { arm, seed, configHash, state: "running" },
        finished: before?.state === "done" || before?.state === "diverged" ? before : undefined,
      };
    }),
  );
}

async function runAndRecord(inputs: ExperimentInputs, run: PlannedRun): Promise<RunDocument> {
  const { client, config, dataDir, observer, signal } = inputs;
  try {
    return await runOne({
      client,
      config: run.config,
      evaluation: config.evaluation,
      chunkBatches: config.backend.chunkBatches,
      seed: run.place.seed,
      dataDir,
      record: run.record,
      document: run.document,
      place: run.place,
      observer,
      signal,
    });
  } catch (error) {
    if (!isThisRunsAlone(error)) throw error;
    const failed: RunDocument = { ...run.document, state: "failed", error: error.message };
    if (run.record.read()?.state !== "failed") run.record.start(failed); // it failed before it was on record
    return failed;
  }
}

/** Whether the other runs can go on. */
const isThisRunsAlone = (error: unknown): error is IbatchError =>
  error instanceof IbatchError &&
  error.kind === "run" &&
  !(error instanceof Interrupted) &&
  !(error instanceof BackendLost);
