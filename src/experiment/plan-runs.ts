/** Which runs an experiment has, in their sequence, and whether they fit what is on record. */
import { join } from "node:path";
import { z } from "zod";
import { type ArmConfig, armHash } from "../config/config.js";
import { type RunConfig, runConfig } from "../config/run-config.js";
import { runSeeds } from "../config/run-seeds.js";
import { withoutRate } from "../config/tune.js";
import { type IbatchError, usageError } from "../errors.js";
import { differences } from "../record/differences.js";
import type { RunDocument } from "../record/run-document.js";
import type { RunRecord } from "../record/run-record.js";
import { TUNING_RUNS } from "../record/tuning-record.js";
import type { ExperimentInputs } from "./experiment-inputs.js";
import type { RunPlace } from "./observer.js";
import type { FinishedRun, RecordedRun } from "./recorded.js";
import { runsOf } from "./share.js";

/** A run: which one, what the config says of it, and where it is recorded. */
export interface PlannedRun {
  readonly place: RunPlace;
  readonly config: RunConfig;
  readonly record: RunRecord;
  /** What `run.json` says of it before it starts. */
  readonly document: RunDocument;
  /** Undefined where it is to be done. */
  readonly finished: FinishedRun | undefined;
}

type Planning = Pick<ExperimentInputs, "config" | "record" | "orders" | "among" | "refused" | "share">;

/** Every run in the order of running. All recorded ones are checked before the first one starts. */
export function planRuns(planning: Planning, recorded: readonly RecordedRun[]): PlannedRun[] {
  const { config, record, orders, among, share } = planning;
  const { evaluation, fixedSeeds } = config;
  const settingsOf = (arm: ArmConfig) => ({ ...arm, evaluation, ...(fixedSeeds && { seeds: fixedSeeds }) });
  const asked = runsOf(config, share);
  const arms = Object.entries(config.arms)
    .filter(([arm]) => asked.some((run) => run.arm === arm)) // others are for another shard to check
    .map(([arm, armConfig]) => ({
      arm,
      armConfig,
      configHash: armHash(armConfig, evaluation, fixedSeeds),
      before: recorded.filter((run) => run.arm === arm && !isUntuned(run, config)),
    }));
  refuseOtherSettings(
    arms.flatMap(({ arm, armConfig, configHash, before }) =>
      inTheWay(configHash, { settings: settingsOf(armConfig), tuned: tunedNow(planning, arm) }, before),
    ),
  );
  if (record.isUnnamed && arms.every(({ before }) => before.length === 0)) throw nothingOfThis(record.directory);
  refuseSpelledAlike(Object.keys(config.arms), recorded);
  const { before: done, total } = among ?? { before: 0, total: asked.length };
  const { ibatchVersion, commit } = record.identity;
  return config.seeds
    .flatMap((seed) => arms.map((arm) => ({ ...arm, seed })))
    .filter((run) => share?.has(run) ?? true)
    .map(({ arm, seed, armConfig, configHash, before }, at): PlannedRun => {
      const same = before.find((run) => run.seed === seed);
      const replayedSha256 = orders.replayedHash(armConfig.order, seed, armConfig.epochs);
      const runRecord = record.run(arm, seed);
      refuseOtherPlans(replayedSha256, same);
      return {
        place: { arm, seed, number: done + at, total, epochs: armConfig.epochs },
        config: runConfig(config, arm),
        record: runRecord,
        document: {
          arm,
          seed,
          configHash,
          seeds: runSeeds(seed, fixedSeeds),
          config: settingsOf(armConfig),
          ...(replayedSha256 !== undefined && { replayedSha256 }),
          ibatchVersion,
          commit,
          state: "running",
        },
        finished: same?.finished,
      };
    });
}

/**
 * Of a run that is about to begin, beside what another command began meanwhile.
 * @throws IbatchError where an arm of its name has other settings there.
 */
export function refuseOtherArm(
  { place, document }: Pick<PlannedRun, "place" | "document">,
  others: readonly Pick<RecordedRun, "arm" | "seed" | "directory" | "document">[],
): void {
  const trained = others.filter((other) => other.arm === place.arm && other.document.surroundings !== undefined);
  refuseOtherSettings(
    inTheWay(
      document.configHash,
      { settings: document.config, tuned: undefined },
      trained.map((other) => ({ ...other, finished: undefined, made: undefined })),
    ),
  );
}

/** Whether it failed before anything was trained, for want of a learning rate that may be there by now. */
function isUntuned(
  { arm, document }: RecordedRun,
  { arms, tune, evaluation, fixedSeeds }: Planning["config"],
): boolean {
  if (tune === undefined || arms[arm] === undefined) return false;
  return document.configHash === armHash(withoutRate(arms[arm]), evaluation, fixedSeeds);
}

/** An arm on record that is another by now. */
interface OtherArm {
  /** Which run holds it, and what differs. */
  readonly what: string;
  /** Its runs, where none of them came to its end; none is to be removed beside a result. */
  readonly unfinished: readonly string[];
}

interface Asked {
  readonly settings: object;
  /** Undefined where the rate is as the config says. */
  readonly tuned: TunedNow | undefined;
}

/** An arm's runs, of whatever seed, are of one config. */
function inTheWay(configHash: string, { settings, tuned }: Asked, before: readonly RecordedRun[]): OtherArm[] {
  const others = before.filter(({ document }) => document.configHash !== configHash);
  if (others.length === 0) return [];
  const [{ directory, arm, document }] = others;
  const [then, now] = [document.configHash, configHash].map((hash) => hash.slice(0, 8));
  const difference = differences(document.config, settings);
  return [
    {
      what:
        `${directory} holds arm ${arm} with other settings (${then}, now ${now}${difference && `: ${difference}`})` +
        tunedOtherwise(document, tuned),
      unfinished: others.some(({ finished }) => finished !== undefined) ? [] : others.map((other) => other.directory),
    },
  ];
}

interface TunedNow {
  readonly arm: string;
  readonly rate: unknown;
  /** Why there is no rate. */
  readonly lack: string | undefined;
  readonly runs: string;
}

function tunedNow({ config, record, refused }: Planning, arm: string): TunedNow | undefined {
  if (config.tune === undefined) return undefined;
  const { learningRate: rate } = config.arms[arm].schedule.options;
  return { arm, rate, lack: refused?.get(arm)?.message, runs: join(record.directory, TUNING_RUNS) };
}

const recordedRate = z.object({ schedule: z.object({ options: z.object({ learningRate: z.number() }) }) });

/** What came of a tuning that was done again; "" where it came out as before. */
function tunedOtherwise({ config }: RunDocument, now: TunedNow | undefined): string {
  const then = recordedRate.safeParse(config).data?.schedule.options.learningRate;
  if (now === undefined || then === undefined || then === now.rate) return "";
  const chooses = now.rate === undefined ? `chooses none (${now.lack})` : `chooses ${now.rate}`;
  return `, for its learning rate was tuned to ${then}, and now the tuning ${chooses}: bring back the runs in ${now.runs} that it was tuned by`;
}

/** @throws IbatchError naming all of them, and what may be removed for the same command to train them anew. */
function refuseOtherSettings(others: readonly OtherArm[]): void {
  if (others.length === 0) return;
  const removed = others.flatMap(({ unfinished }) => unfinished);
  const those = removed.length === 1 ? "that run" : "those runs";
  const anew = removed.length === 0 ? "" : `remove ${removed.join(" ")} to train ${those} anew, `;
  const names = others.length === 1 ? "the arm another name" : "the arms other names";
  throw usageError(
    `${others.map(({ what }) => what).join("; ")}: ${anew}name another directory with --out, or give ${names}`,
  );
}

const nothingOfThis = (directory: string): IbatchError =>
  usageError(
    `${directory} has lost its experiment.json, or it is damaged, and no run there is of an arm of this config: ` +
      "name another directory with --out, or run the config that made it",
  );

/** Some disks have one directory for names that differ in capitals alone. */
export function refuseSpelledAlike(
  arms: readonly string[],
  recorded: readonly Pick<RecordedRun, "arm" | "directory">[],
): void {
  for (const { arm, directory } of recorded) {
    const alike = arms.find((name) => name !== arm && name.toLowerCase() === arm.toLowerCase());
    if (alike === undefined) continue;
    throw usageError(
      `arm "${alike}" differs from ${directory} in capitals alone: give it the name on record, or another one`,
    );
  }
}

/** A run that replayed what has been recorded anew since is not one of those that will replay it, nor goes on with it. */
function refuseOtherPlans(now: string | undefined, before: RecordedRun | undefined): void {
  const then = before?.document.replayedSha256;
  if (before?.made === undefined || then === undefined || then === now) return;
  throw usageError(
    `${before.directory} replayed other plans than are on record now (${then.slice(0, 8)}, now ` +
      `${now?.slice(0, 8)}): bring back the run that it replayed, remove ${before.directory} to do that run again, or name another directory with --out`,
  );
}
