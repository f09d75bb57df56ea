import { planHashes } from "../../src/record/run-record.js";
import type { Plan } from "../../src/training/plan.js";
import type { PlannedEpoch } from "../../src/training/planner.js";

/** A plan as a run's first epoch has it. */
export const plannedAs = (plan: Plan): PlannedEpoch => ({
  ...{ epoch: 0, plan, hashes: planHashes(plan), memory: {}, seconds: 0 },
  monitors: { distinct: plan.indices.length, mostDrawn: 1 },
});
