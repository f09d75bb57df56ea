/** How an experiment stands: of each run whether it is done, under way, can go on, failed, was not begun. Changes nothing. */
import { realpathSync } from "node:fs";
import { tuningSeeds } from "../config/tune.js";
import { Checkpoints } from "../record/checkpoints.js";
import { type ExperimentDocument, readExperimentDocument } from "../record/experiment-document.js";
import { holderOf, type LockHolder } from "../record/lock.js";
import { openRun, readEpochs } from "../record/read-run.js";
import { readRuns } from "../record/read-runs.js";
import { isFinished, type RunDocument } from "../record/run-document.js";
import type { RunPlaceOnDisk } from "../record/run-places.js";
import { tuningRuns } from "../record/tuning-record.js";
import { type GoingOn, whyAnew } from "./going-on.js";
import { trialName } from "./tuning/trials.js";

/**
 * `resumable`: the same command goes on from its checkpoint; `refused`: it would, but was refused the last time, for its
 * order makes another plan; `to begin anew`: it was begun, and has none that is used.
 */
export type Standing =
  | "done"
  | "diverged"
  | "failed"
  | "under way"
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
  /** Who works here now, as far as that can be seen; null: nobody. */
  readonly inUseBy: LockHolder | null;
  /** Arms and seeds of the last command in the order of running, then what else is on record. */
  readonly runs: readonly RunStanding[];
  /** Likewise of those that learning rates are tuned by; null where they are as the config says. */
  readonly tuning: readonly RunStanding[] | null;
}

/** @throws IbatchError when the directory holds no experiment, or `experiment.json` is damaged. */
export function readStatus(directory: string): ExperimentStatus {
  const { name, command, config, given } = readExperimentDocument(directory);
  const holder = holderOf(directory);
  const isMoved = given !== undefined && given.directory !== realpathSync(directory);
  return {
    ...{ directory, name, command },
    givenIn: given?.in ?? null,
    movedFrom: isMoved ? given.directory : null,
    inUseBy: holder ?? null,
    runs: standingsIn(directory, { ...config, isInUse: holder !== undefined }),
    tuning: tuningIn(directory, config),
  };
}

interface Asked extends Pick<ExperimentDocument["config"], "seeds" | "checkpoint"> {
  readonly arms: Readonly<Record<string, { readonly epochs?: number | undefined }>>;
  readonly isInUse: boolean;
}

/** Of every run that is asked for, and of what else is there. */
function standingsIn(directory: string, { arms, seeds, checkpoint, isInUse }: Asked): RunStanding[] {
  const { runs, blocked, damaged } = readRuns(directory, Object.keys(arms), readOne);
  const isAsked = ({ arm, seed }: RunRead) => arms[arm] !== undefined && seeds.includes(seed);
  const newest = runs.filter(({ document }) => document.state === "running").sort(byBeginning)[0];
  const recorded = [
    ...runs.map((run) => {
      const by = isAsked(run) ? { checkpoint } : {};
      return standingOf(run, { isUnderWay: isInUse && run === newest, ...by });
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
  if (place !== undefined) return standingsIn(place, { ...asked, isInUse: holderOf(place) !== undefined });
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
}

function readOne({ arm, seed, directory }: RunPlaceOnDisk): RunRead | undefined {
  const opened = openRun(directory);
  if (opened === undefined) return undefined;
  const { document } = opened;
  return { arm, seed, document, epochs: readEpochs(opened).metrics.length, steps: stepsOf(directory, document) };
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

/** A command trains one run at a time: of those that say that they run, the last one that was begun is under way. */
const byBeginning = (a: RunRead, b: RunRead): number => (beginningOf(b) > beginningOf(a) ? 1 : -1);

const beginningOf = ({ document }: RunRead): string => document.resumed?.at(-1)?.at ?? document.startedAt ?? "";

function standingOf(run: RunRead, { isUnderWay, ...by }: GoingOn & { readonly isUnderWay: boolean }): RunStanding {
  const { arm, seed, document, epochs, steps } = run;
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
  };
}

function standing({ document, steps }: RunRead, by: GoingOn): Standing {
  const { state } = document;
  if (state === "done" || state === "diverged") return state;
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
});
