import { startOrder } from "../config/run-config.js";
import type { RunOrder } from "../order-files/run-order.js";
import { openRequest } from "../training/open-request.js";
import { Session, type WorkClient } from "../training/session.js";
import type { ExperimentInputs } from "./experiment-inputs.js";
import type { PlannedRun } from "./plan-runs.js";

/** Opens a run's session. `graceSeconds` and what is thrown: as `Session.open`. */
export function openSession(
  { workplace, record, audience, signal }: ExperimentInputs,
  { config, place }: PlannedRun,
  client: WorkClient,
  graceSeconds = 0,
): Promise<Session> {
  const { seed } = place;
  const request = openRequest({ config, seed, dataDir: workplace.dataDir, owner: record.owner });
  return Session.open(client, request, signal, audience.note, graceSeconds);
}

/** A run's order; what it writes goes into the log. */
export const orderOf = (
  { orders, audience, signal }: ExperimentInputs,
  { config, place }: Pick<PlannedRun, "config" | "place">,
): RunOrder => startOrder(orders, config, place.seed, { signal, say: audience.log });
