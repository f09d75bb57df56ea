/** Arms of which nothing is to be done: what they import of the user's is still what their results were made with. */
import { BackendLost } from "../backend/errors.js";
import { IbatchError, Interrupted } from "../errors.js";
import { importsOf, openRequest } from "../training/open-request.js";
import { Session } from "../training/session.js";
import type { Backends } from "./backends.js";
import { modelOf } from "./other-code.js";
import { byCombination, naming, refuseEdited, type TrialRun, tellImports } from "./preflight.js";
import { refuseOtherSurroundings, surroundingsOf } from "./surroundings.js";

/**
 * Opens a session for every combination of what these arms import. `runs`: the first of each arm.
 * @throws IbatchError naming the arm that would be made in other surroundings now, or cannot be opened; Interrupted.
 */
export async function refuseOtherThanKept(backends: Backends, runs: readonly TrialRun[]): Promise<void> {
  for (const together of byCombination(runs.filter(({ config }) => importsOf(config).length > 0))) {
    const [{ place }] = together;
    try {
      await compare(backends, together);
    } catch (error) {
      if (!(error instanceof IbatchError) || error instanceof Interrupted) throw error;
      if (error instanceof BackendLost) await backends.discard();
      throw naming(place.arm, error);
    }
  }
}

async function compare(backends: Backends, [first, ...others]: ReturnType<typeof byCombination>[number]) {
  const { signal, note } = first;
  const session = await Session.open(await backends.get(), openRequest(first), signal, note);
  try {
    refuseEdited(session.opened.edited);
    tellImports(session.opened.imports, note);
    for (const { place, config, kept } of [first, ...others]) {
      const surroundings = surroundingsOf(session, config.dataset);
      refuseOtherSurroundings({ arm: place.arm, seed: place.seed, ...modelOf(config.model), surroundings }, kept);
    }
  } finally {
    await session.close();
  }
}
