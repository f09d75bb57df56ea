/** How an experiment stands: of each run whether it is done, under way, can go on, failed, was not begun. Changes nothing. */
import { realpathSync } from "node:fs";
import { tuningSeeds } from "../config/tune.js";
import { Checkpoints } from "../record/checkpoints.js";
import { type ExperimentDocument, readExperimentDocument } from "../record/experiment-document.js";
import { holderOf } from "../record/lock.js";
import type { LockHolder } from "../record/lock-holder.js";
import { usersOf } from "../record/presence.js";
import { openRun, readEpochs } from "../record/read-run.js";
import { readRuns } from "../record/read-runs.js";
import { isFinished, type RunDocument } from "../record/run-document.js";
import { type RunPlaceOnDisk, runDirectory } from "../record/run-places.js";
import { tuningRuns } from "../record/tuning-record.js";
import { type GoingOn, whyAnew } from "./going-on.js";
import { shareOf } from "./share.js";
import { trialName } from "./tuning/trials.js";

/**
 * `resumable`: the same command goes on from its checkpoint; `refused`: it would, but was refused the last time, for its
 * order makes another plan; `waiting`: it failed, as by the loss of its backend, and a living command tries it again once there
 * is a backend for it; `to begin anew`: it was begun, and has none that is used.
 */
export type Standing =
  | "done"
  | "diverged"
  | "failed"
  | "under way"
  | "waiting"
  | "resumable"
  | "refused"
  | "to begin anew"
  | "not begun"
  | "damaged";

export interface RunStanding {
  readonly arm: string;
  readonly seed: number;
  readonly standing: Standing;
  /** Epochs that are recorded whole, and all of them; null where neither record nor config says. */
  readonly epochs: number | null;
  readonly ofEpochs: number | null;
  /** Step of its newest checkpoint; null: there is none. Whether that is whole is looked at when the run goes on. */
  readonly checkpoint: number | null;
  /** From which steps it went on after it was stopped. */
  readonly resumedFrom: readonly number[];
  readonly divergedAtStep: number | null;
  /** Why it failed, or how it is damaged. */
  readonly error: string | null;
  /** Who has taken it, and trains it or will; null: nobody, as far as that can be seen. */
  readonly heldBy: LockHolder | null;
}

export interface ShardStanding {
  /** As `--shard` says it. */
  readonly shard: string;
  /** Runs that are not done yet: its own, and those of other shards, which may be done or under way in a directory of theirs. */
  readonly own: number;
  readonly others: number;
}

export interface ExperimentStatus {
  readonly directory: string;
  readonly name: string;
  /** The last one that worked here. */
  readonly command: string;
  /** Where it was given; null: not on record. */
  readonly givenIn: string | null;
  /** Where this directory was then, where that is another place; null: here, or not on record. */
  readonly movedFrom: string | null;
  /** Where the last command did a share of the runs: how much is left of it, and of the others; null: it did all. */
  readonly shard: ShardStanding | null;
  /** Who works here now, as far as that can be seen. */
  readonly inUseBy: readonly LockHolder[];
  /** Arms and seeds of the last command in the order of running, then what else is on record. */
  readonly runs: readonly RunStanding[];
  /** Likewise of those that learning rates are tuned by; null where they are as the config says. */
  readonly tuning: readonly RunStanding[] | null;
}

/** @throws IbatchError when the directory holds no experiment, or `experiment.json` is damaged. */
export function readStatus(directory: string): ExperimentStatus {
  const { name, command, config, given } = readExperimentDocument(directory);
  const isMoved = given !== undefined && given.directory !== realpathSync(directory);
  const runs = standingsIn(directory, config);
  return {
    ...{ directory, name, command },
    givenIn: given?.in ?? null,
    movedFrom: isMoved ? given.directory : null,
    shard: shardIn(command, config, runs),
    inUseBy: usersOf(directory),
    runs,
    tuning: tuningIn(directory, config),
  };
}

function shardIn(
  command: string,
  { arms, seeds, tune }: ExperimentDocument["config"],
  runs: readonly RunStanding[],
): ShardStanding | null {
  const [, index, count] = / --shard[ =](\d+)\/(\d+)/.exec(command) ?? [];
  if (index === undefined || count === undefined) return null;
  const share = shareOf({ arms, seeds, tune }, { index: Number(index), count: Number(count) });
  const left = runs.filter((run) => !isOver(run) && arms[run.arm] !== undefined && seeds.includes(run.seed));
  const own = left.filter(share.has).length;
  return { shard: `${index}/${count}`, own, others: left.length - own };
}

/** Nothing more is done for it. */
export const isOver = ({ standing }: Pick<RunStanding, "standing">): boolean =>
  standing === "done" || standing === "diverged";

interface Asked extends Pick<ExperimentDocument["config"], "seeds" | "checkpoint"> {
  readonly arms: Readonly<Record<string, { readonly epochs?: number | undefined }>>;
}

/** Of every run that is asked for, and of what else is there. */
function standingsIn(directory: string, { arms, seeds, checkpoint }: Asked): RunStanding[] {
  const { runs, blocked, damaged } = readRuns(directory, Object.keys(arms), readOne);
  const isAsked = ({ arm, seed }: RunRead) => arms[arm] !== undefined && seeds.includes(seed);
  const trainedBefore = heldWhole(directory, runs);
  const recorded = [
    ...runs.map((run) => {
      const by = isAsked(run) ? { checkpoint } : {};
      const isUnderWay = run.document.state === "running" && (run.heldBy !== null || run === trainedBefore);
      return standingOf(run, { isUnderWay, ...by });
    }),
    ...[...blocked, ...damaged].flatMap(({ arm, seed, damage }) =>
      (seed === undefined ? seeds : [seed]).map((seed) => ({
        ...nothingOf({ arm, seed }, "damaged"),
        error: damage,
      })),
    ),
  ];
  const asked = seeds.flatMap((seed) =>
    Object.entries(arms).map(
      ([arm, { epochs }]) =>
        recorded.find((run) => run.arm === arm && run.seed === seed) ?? {
          ...nothingOf({ arm, seed }, "not begun"),
          epochs: 0,
          ofEpochs: epochs ?? null,
          heldBy: holderHere(runDirectory(directory, arm, seed)),
        },
    ),
  );
  return [...asked, ...recorded.filter((run) => !asked.includes(run))];
}

/** The runs of each arm at each rate, whether or not one was begun. */
function tuningIn(directory: string, { tune, arms, checkpoint }: ExperimentDocument["config"]): RunStanding[] | null {
  if (tune === undefined) return null;
  const trials = Object.entries(arms).flatMap(([arm, { epochs }]) =>
    tune.learningRate.map((rate) => [trialName(arm, rate), { epochs }] as const),
  );
  const asked = { arms: Object.fromEntries(trials), seeds: tuningSeeds(tune), checkpoint };
  const place = tuningRuns(directory);
  if (place !== undefined) return standingsIn(place, asked);
  return asked.seeds.flatMap((seed) =>
    trials.map(([arm, { epochs }]) => ({
      ...nothingOf({ arm, seed }, "not begun"),
      epochs: 0,
      ofEpochs: epochs ?? null,
    })),
  );
}

interface RunRead {
  readonly arm: string;
  readonly seed: number;
  readonly document: RunDocument;
  readonly epochs: number;
  /** Of its checkpoints, the newest first. */
  readonly steps: readonly number[];
  readonly heldBy: LockHolder | null;
}

function readOne({ arm, seed, directory }: RunPlaceOnDisk): RunRead | undefined {
  const opened = openRun(directory);
  if (opened === undefined) return undefined;
  const { document } = opened;
  const heldBy = holderHere(directory); // before its epochs are read, of which some may be written meanwhile
  const epochs = readEpochs(opened).metrics.length;
  return { arm, seed, document, epochs, steps: stepsOf(directory, document), heldBy };
}

function holderHere(run: string): LockHolder | null {
  const holder = holderOf(run);
  return holder === undefined ? null : { pid: holder.pid, host: holder.host };
}

/** What a run that came to its end kept is looked for, but nothing depends on it any more. */
function stepsOf(directory: string, document: RunDocument): readonly number[] {
  try {
    return new Checkpoints(directory).steps;
  } catch (error) {
    if (isFinished(document)) return [];
    throw error;
  }
}

/**
 * Where an ibatch of before holds the whole directory, it trains one run at a time: of those that say that they run, the last
 * one that was begun.
 */
function heldWhole(directory: string, runs: readonly RunRead[]): RunRead | undefined {
  const holder = holderOf(directory);
  if (holder === undefined || holder.brief) return undefined;
  return runs.filter(({ document }) => document.state === "running").sort(byBeginning)[0];
}

const byBeginning = (a: RunRead, b: RunRead): number => (beginningOf(b) > beginningOf(a) ? 1 : -1);

const beginningOf = ({ document }: RunRead): string => document.resumed?.at(-1)?.at ?? document.startedAt ?? "";

function standingOf(run: RunRead, { isUnderWay, ...by }: GoingOn & { readonly isUnderWay: boolean }): RunStanding {
  const { arm, seed, document, epochs, steps, heldBy } = run;
  const { config, divergedAtStep, error, resumed = [] } = document;
  return {
    arm,
    seed,
    standing: isUnderWay ? "under way" : standing(run, by),
    epochs,
    ofEpochs: config.epochs ?? null,
    checkpoint: steps[0] ?? null,
    resumedFrom: resumed.map(({ step }) => step),
    divergedAtStep: divergedAtStep ?? null,
    error: (document.state === "failed" ? error : undefined) ?? null,
    heldBy,
  };
}

function standing({ document, steps, heldBy }: RunRead, by: GoingOn): Standing {
  const { state } = document;
  if (state === "done" || state === "diverged") return state;
  if (state === "failed" && heldBy !== null) return "waiting"; // let go once it has failed for good
  if (whyAnew({ document, steps }, by) === undefined) return document.madeOtherPlan ? "refused" : "resumable";
  return state === "failed" ? state : "to begin anew";
}

const nothingOf = (run: Pick<RunStanding, "arm" | "seed">, standing: Standing): RunStanding => ({
  ...run,
  standing,
  epochs: null,
  ofEpochs: null,
  checkpoint: null,
  resumedFrom: [],
  divergedAtStep: null,
  error: null,
  heldBy: null,
});
