/** Arms of which nothing is to be done: what they import of the user's is still what their results were made with. */
import { IbatchError, Interrupted } from "../errors.js";
import { importsOf } from "../training/open-request.js";
import type { WorkClient } from "../training/session.js";
import { atOneOf, NoneThere } from "./at-one-of.js";
import type { ExperimentInputs } from "./experiment-inputs.js";
import type { KeptRuns } from "./kept-runs.js";
import { openSession } from "./open-session.js";
import type { PlannedRun } from "./plan-runs.js";
import { byCombination, naming, refuseEdited, type Together, tellImports } from "./preflight.js";
import { refuseOtherCode, surroundingsOf } from "./surroundings.js";

/**
 * Opens a session for every combination of what these arms import. `runs`: the first of each arm.
 * Device and threads may be others: nothing is trained here.
 * @throws IbatchError naming the arm whose code is another now, or that cannot be opened; Interrupted.
 */
export async function refuseOtherThanKept(
  experiment: ExperimentInputs,
  runs: readonly PlannedRun[],
  kept: KeptRuns,
): Promise<void> {
  for (const together of byCombination(runs.filter(({ config }) => importsOf(config).length > 0))) {
    const [{ place }] = together;
    try {
      await atOneOf(experiment.workplace.pool, (client) => compare(experiment, together, kept, client));
    } catch (thrown) {
      const error = thrown instanceof NoneThere ? thrown.why : thrown;
      if (!(error instanceof IbatchError) || error instanceof Interrupted) throw error;
      throw naming(place.arm, error);
    }
  }
}

async function compare(
  experiment: ExperimentInputs,
  runs: Together,
  kept: KeptRuns,
  client: WorkClient,
): Promise<void> {
  const session = await openSession(experiment, runs[0], client);
  try {
    refuseEdited(session.opened.edited);
    tellImports(session.opened.imports, experiment.audience.note);
    for (const { config } of runs) refuseOtherCode(surroundingsOf(session, config.dataset), kept.values());
  } finally {
    await session.close();
  }
}
