/** Arms × seeds: every run of a config, those that are recorded already left as they are. */

import { whenAborted } from "../when-aborted.js";
import { claimLeftBehind, claimRuns, type HeldRun, leftToOthers, takenOver, type Waiting } from "./claims.js";
import type { ExperimentInputs } from "./experiment-inputs.js";
import { refuseOtherThanKept } from "./kept-arms.js";
import { KeptRuns } from "./kept-runs.js";
import { OtherRuns } from "./other-runs.js";
import { type PlannedRun, planRuns } from "./plan-runs.js";
import { Preflight } from "./preflight.js";
import { type RecordedRun, readRecorded } from "./recorded.js";
import { runAll } from "./run-all.js";
import type { ArmsRun } from "./run-result.js";
import { justThese, type RunOfConfig, runsOf } from "./share.js";

export interface ArmsRunHere extends ArmsRun {
  /** Runs that were left to other processes, which hold them: they are not among the results. */
  readonly held: readonly HeldRun[];
}

/**
 * Runs what is missing of the experiment: by one backend seed by seed, so that arms stay comparable whenever it ends, by
 * several side by side.
 * A run that fails is recorded and the others go on, with another backend where it lost its own; where no backend lasts,
 * or can be had, they are recorded as failed, too. The results are those of exactly the arms and seeds of the config,
 * whatever else the directory holds. Those that other processes hold are left to them, and done here at the end where these
 * are gone by then.
 * @throws Interrupted when the signal says so; IbatchError when recorded runs do not fit, or are damaged, or when
 * there is no backend to begin with.
 */
export async function runArms(experiment: ExperimentInputs): Promise<ArmsRunHere> {
  let done = await runOwn(experiment);
  while (done.stoppedBy === undefined) {
    const left = await claimLeftBehind(experiment.record, done.held, waitingOf(experiment));
    if (left.length === 0) break;
    for (const line of takenOver(left)) experiment.audience.note(line);
    done = joined(experiment, done, await runOwn(ofThese(experiment, left, done)), left);
  }
  return done;
}

const waitingOf = ({ audience, signal }: ExperimentInputs): Waiting => ({ signal, note: audience.note });

/** `done`: by which their numbers go on. */
function ofThese(experiment: ExperimentInputs, left: readonly HeldRun[], { results }: ArmsRunHere): ExperimentInputs {
  const { before, total } = experiment.among ?? { before: 0, total: results.length + left.length };
  const among = { before: before + results.length, total };
  return { ...experiment, share: justThese(left), among, accepted: () => {} };
}

/** In the sequence of the config. */
function joined(
  { config }: ExperimentInputs,
  done: ArmsRunHere,
  more: ArmsRunHere,
  left: readonly HeldRun[],
): ArmsRunHere {
  const all = [...done.results, ...more.results];
  const results = runsOf(config).flatMap(({ arm, seed }) => all.filter((run) => run.arm === arm && run.seed === seed));
  const givenUp = [...new Set([...done.givenUp, ...more.givenUp])];
  return { results, stoppedBy: more.stoppedBy, givenUp, held: done.held.filter((run) => !left.includes(run)) };
}

async function runOwn(experiment: ExperimentInputs): Promise<ArmsRunHere> {
  const { config, record, audience, workplace, share } = experiment;
  const held = await claimRuns(config, record, share, waitingOf(experiment));
  for (const line of leftToOthers(held)) audience.note(line);
  const others = new OtherRuns(record);
  const { runs: recorded, leftOut } = readRecorded(record.directory, {
    arms: Object.keys(config.arms),
    checkpoint: config.checkpoint,
    isAsked: ({ arm, seed }) => isAsked(experiment, arm, seed),
    isHeld: ({ arm, seed }) => others.isHeld(arm, seed),
  });
  for (const what of leftOut) audience.note(`left out: ${what}`);
  const isTheirs = ({ arm, seed }: RunOfConfig) => others.isHeld(arm, seed);
  tellUnasked(
    experiment,
    recorded.filter((run) => !isTheirs(run)),
  );
  const kept = new KeptRuns(others);
  for (const run of recorded) kept.keep(run.directory, run.made);
  const runs = planRuns(experiment, recorded).filter(
    ({ place }) => !held.some(({ arm, seed }) => arm === place.arm && seed === place.seed),
  );
  const toDo = runs.filter(({ finished }) => finished === undefined);
  for (const { record } of toDo) record.refuseReplacing();
  experiment.accepted?.(toDo.length);
  const stop = new AbortController();
  const forget = whenAborted(experiment.signal, () => stop.abort(experiment.signal.reason));
  const stopping = { ...experiment, signal: stop.signal };
  const tried = new Preflight(
    stopping,
    toDo.filter(({ place }) => !experiment.refused?.has(place.arm)),
    kept,
  );
  await refuseOtherThanKept(experiment, nothingToDo(runs), kept);
  await tried.tryOwn(workplace.pool);
  if (toDo.length === 0) record.writeDocument(config);
  else record.writeDocumentBeforeRuns(config);
  for (const { place, finished } of runs) if (finished !== undefined) record.release(place.arm, place.seed);
  try {
    return { ...(await runAll(stopping, runs, { kept, tried }, stop)), held };
  } finally {
    forget();
  }
}

/** Of this command; `seed`: undefined of any of the arm's. */
function isAsked({ config, share }: ExperimentInputs, arm: string, seed: number | undefined): boolean {
  return runsOf(config, share).some((run) => run.arm === arm && (seed === undefined || run.seed === seed));
}

/** Runs that were begun by another command, and that this one does not go on with. */
function tellUnasked({ config, audience }: ExperimentInputs, recorded: readonly RecordedRun[]): void {
  for (const { arm, seed, directory, finished } of recorded) {
    if (finished !== undefined || (config.arms[arm] !== undefined && config.seeds.includes(seed))) continue;
    audience.note(`${directory} is unfinished, and this command does not ask for it`);
  }
}

/** The first run of each arm whose runs are all finished. */
function nothingToDo(runs: readonly PlannedRun[]): PlannedRun[] {
  const firsts = new Map([...runs].reverse().map((run) => [run.place.arm, run]));
  for (const { place, finished } of runs) if (finished === undefined) firsts.delete(place.arm);
  return [...firsts.values()].reverse();
}
