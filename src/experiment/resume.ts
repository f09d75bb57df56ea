/** Where a run that was begun before goes on: at the newest of its checkpoints that the backend takes. */
import { BackendError } from "../backend/errors.js";
import { runSeeds } from "../config/run-seeds.js";
import { type IbatchError, usageError } from "../errors.js";
import type { Checkpoint } from "../record/checkpoint.js";
import type { Accept, Accepted, Entry } from "../record/checkpoints.js";
import type { RunDocument, Surroundings } from "../record/run-document.js";
import { joinState, type RunState } from "../training/run-state.js";
import type { Session } from "../training/session.js";
import { whyAnew } from "./going-on.js";
import { runText } from "./observer.js";
import { modelOf } from "./other-code.js";
import type { PlannedRun } from "./plan-runs.js";
import { bitsSha256, refuseOtherSurroundings } from "./surroundings.js";

/** What the session was put back to. */
export interface ResumePoint {
  readonly entry: Entry;
  readonly checkpoint: Checkpoint;
  readonly state: RunState;
  /** What was recorded of the run up to then. */
  readonly before: RunDocument;
}

/**
 * Loads the state of the newest checkpoint that can be used into the session, which was opened in these surroundings.
 * Undefined where the run begins anew; nothing of its record is changed by this.
 * @throws IbatchError where it was begun in surroundings of other bits.
 */
export async function loadNewest(
  run: PlannedRun,
  session: Session,
  surroundings: Surroundings,
  note: (line: string) => void,
): Promise<ResumePoint | undefined> {
  const { record, document, place } = run;
  const before = record.read();
  if (before?.surroundings === undefined) return undefined;
  const { steps } = record.checkpoints;
  const anew = whyAnew({ document: before, steps }, { checkpoint: run.config.checkpoint, now: surroundings });
  if (anew !== undefined) {
    const isToBeTold = steps.length > 0 || (before.state !== "failed" && run.config.checkpoint !== null);
    if (isToBeTold) note(`${runText(place)}: ${anew}`);
    return undefined;
  }
  refuseOther(run, before.surroundings, surroundings);
  let fault: string | undefined;
  const accept: Accept<ResumePoint> = async (checkpoint, entry) => {
    const joined = await join(session, checkpoint);
    if ("taken" in joined) return { taken: { entry, checkpoint, state: joined.taken, before } };
    fault ??= joined.fault;
    return joined;
  };
  const of = { ...document, surroundingsSha256: bitsSha256(surroundings) };
  const newest = await record.newestCheckpoint(of, accept, note);
  if (newest !== undefined) return newest;
  if (fault !== undefined) throw noneTaken(record.directory, fault);
  note(`${record.directory}: no checkpoint is left, and the run begins anew`);
  return undefined;
}

/** They are what was written: whoever wrote them can go on with them. */
const noneTaken = (directory: string, fault: string): IbatchError =>
  usageError(
    `${directory} has checkpoints that are whole, and none can be gone on from (${fault}): bring back what they were ` +
      `made with (ibatch, torch, code of yours), or remove ${directory} to train this run anew`,
  );

/** The state of a checkpoint, which the session was put back to; or why that cannot be, which leaves the session as it was. */
async function join(session: Session, checkpoint: Checkpoint): Promise<Accepted<RunState>> {
  const joined = joinState(checkpoint, session.labels.length);
  if ("fault" in joined) return joined;
  try {
    await session.load(checkpoint.step, checkpoint.backend);
    return joined;
  } catch (error) {
    if (!(error instanceof BackendError) || error.code !== "bad_state") throw error;
    return { fault: error.message };
  }
}

/** @throws IbatchError where what it was begun in gives other bits. */
function refuseOther({ record, place, config }: PlannedRun, begunIn: Surroundings, now: Surroundings): void {
  const made = { ...place, seed: runSeeds(place.seed, config.fixedSeeds).model, ...modelOf(config.model) };
  const begun = { ...made, directory: record.directory, goesOn: true, surroundings: begunIn };
  refuseOtherSurroundings({ ...made, surroundings: now }, [begun]);
}

/** Records that the run is under way again from there, and says what is otherwise now. Returns what is recorded. */
export function recordResumed(
  { record, document, place }: PlannedRun,
  { entry, checkpoint, state, before }: ResumePoint,
  tell: (line: string) => void,
): RunDocument {
  const { step } = checkpoint;
  const note = (line: string) => tell(`${runText(place)}: ${line}`);
  const { ibatchVersion, commit } = document;
  const isOther = ibatchVersion !== before.ibatchVersion || commit !== before.commit;
  const goingOn: RunDocument = {
    ...document,
    ...beginningOf(before),
    ...sideBySideOf([before, document]),
    resumed: [
      ...(before.resumed ?? []),
      { at: new Date().toISOString(), step, ...(isOther && { ibatchVersion, ...(commit && { commit }) }) },
    ],
  };
  const { options } = record;
  const point = {
    epoch: state.epoch,
    isUnderWay: state.underWay !== null,
    isPlanned: state.underWay !== null && "hashes" in state.underWay.batches,
  };
  record.resume(goingOn, { entry, checkpoint, point });
  if (isOther) {
    const [then, now] = [before, document].map(versionOf);
    note(
      `was begun by ibatch ${then}, and goes on with ${now}: the plan under way is compared, what it trains to is not`,
    );
  }
  for (const part of ["orders", "signals"] as const) {
    if (record.options[part] === options[part]) continue;
    note(`goes on with record.${part}: ${record.options[part]}, as it was begun`);
  }
  return goingOn;
}

/** The most runs at a time, of all its parts. */
function sideBySideOf(parts: readonly RunDocument[]): Pick<RunDocument, "sideBySide"> {
  const most = Math.max(0, ...parts.map(({ sideBySide = 0 }) => sideBySide));
  return most === 0 ? {} : { sideBySide: most };
}

/** What stays as it was first recorded. */
const beginningOf = ({ startedAt, ibatchVersion, commit }: RunDocument) => ({
  ...(startedAt !== undefined && { startedAt }),
  ibatchVersion,
  ...(commit !== undefined && { commit }),
});

const versionOf = ({ ibatchVersion, commit }: Pick<RunDocument, "ibatchVersion" | "commit">): string =>
  commit === undefined ? ibatchVersion : `${ibatchVersion} (${commit.slice(0, 8)})`;
