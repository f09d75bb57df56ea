/** How a run's record ends: what is written of it, and what goes. */
import { BackendError } from "../backend/errors.js";
import { asError, IbatchError, Interrupted } from "../errors.js";
import type { RunDocument } from "../record/run-document.js";
import { OtherPlan } from "../training/begin-epoch.js";
import type { RunEnd } from "../training/train-run.js";
import type { ExperimentInputs } from "./experiment-inputs.js";
import { runText } from "./observer.js";
import type { PlannedRun } from "./plan-runs.js";

/** What is recorded of a run that came to its end. */
export function endOf(
  document: RunDocument,
  { divergedAtStep, finalCheckpoint }: RunEnd & { readonly finalCheckpoint: number | undefined },
): RunDocument {
  return {
    ...document,
    state: divergedAtStep === undefined ? "done" : "diverged",
    ...(divergedAtStep !== undefined && { divergedAtStep }),
    ...(finalCheckpoint !== undefined && { finalCheckpoint }),
  };
}

/** As `interrupted` or `failed`; where even that cannot be written, `running` stays, and the run goes on from there. */
export function recordStopped(record: PlannedRun["record"], document: RunDocument, error: unknown): void {
  const state = error instanceof Interrupted ? "interrupted" : "failed";
  const byItself = state === "failed" && isItsOwn(error);
  try {
    record.write({
      ...{ ...document, state, error: asError(error).message },
      ...(byItself && { failedByItself: true }),
      ...(causeOf(error) instanceof OtherPlan && { madeOtherPlan: true }),
    });
  } catch {
    // the first error is the one to tell
  }
}

/**
 * Whether the backend, which still has the session, said that what it trains or trains on failed: other code of the
 * user's may mend that. An order that is mended is another arm; time limits and changed files are no run's own.
 */
function isItsOwn(error: unknown): boolean {
  const said = causeOf(error);
  if (!(said instanceof BackendError) || said.code === "unknown_session") return false;
  return said.kind === "run" || said.kind === "usage";
}

/** What an error of ours that says where was made of, where that says more. */
function causeOf(error: unknown): unknown {
  const cause = error instanceof IbatchError ? error.cause : undefined;
  return cause instanceof BackendError || cause instanceof OtherPlan ? cause : error;
}

/** The run is on record as what it is, whether or not the disk lets go of what it no longer needs. */
export function clearEnded({ audience }: ExperimentInputs, { record, place }: PlannedRun, ended: RunDocument): void {
  try {
    record.clearEnded(ended);
  } catch (error) {
    audience.note(
      `${runText(place)}: is ${ended.state}; checkpoints that it no longer needs stay: ${asError(error).message}`,
    );
  }
}

/** While another backend was waited for, too: until then it says that it lost its own. */
export function recordInterrupted({ record, document }: PlannedRun, { message }: Interrupted): void {
  try {
    record.writeEndOutside({ ...document, state: "interrupted", error: message });
  } catch {
    // the first error is the one to tell
  }
}
