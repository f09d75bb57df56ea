import { findNamed } from "../nearest.js";
import constant from "./constant.js";
import type { BatchingDefinition } from "./contract.js";

/** Every batching rule there is. A test holds this and the folder equal. */
export const BATCHING_RULES: readonly BatchingDefinition[] = [constant];

/** The batching rule with this name, or a usage error that names the nearest. */
export function findBatching(name: string): BatchingDefinition {
  return findNamed("batching rule", BATCHING_RULES, name);
}
