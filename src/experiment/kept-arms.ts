/** Arms of which nothing is to be done: what they import of the user's is still what their results were made with. */
import { BackendLost } from "../backend/errors.js";
import { IbatchError, Interrupted } from "../errors.js";
import { importsOf, openRequest } from "../training/open-request.js";
import { Session } from "../training/session.js";
import type { Backends } from "./backends.js";
import { byCombination, naming, refuseEdited, type TrialRun, tellImports } from "./preflight.js";
import { refuseOtherCode, surroundingsOf } from "./surroundings.js";

/**
 * Opens a session for every combination of what these arms import. `runs`: the first of each arm.
 * Device and threads may be others: nothing is trained here.
 * @throws IbatchError naming the arm whose code is another now, or that cannot be opened; Interrupted.
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
    for (const { config, kept } of [first, ...others]) refuseOtherCode(surroundingsOf(session, config.dataset), kept);
  } finally {
    await session.close();
  }
}
