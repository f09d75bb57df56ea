/** The plan as TypeScript made it, as the backend gathered it, and as the loop read it. */
import type { Check } from "../record/validation-record.js";
import type { EpochHashes } from "./drive.js";

/**
 * A line an epoch and hash. The backend's is TypeScript's: a chunk that hashes to another is refused by either side.
 * @param loop what the loop is called.
 */
export function orderParity(driven: readonly EpochHashes[], seen: readonly EpochHashes[], loop: string): Check[] {
  return driven.flatMap((epoch) => {
    const its = seen.find((other) => other.epoch === epoch.epoch);
    return [
      compared(`order of epoch ${epoch.epoch}`, epoch.orderSha256, its?.orderSha256, loop),
      compared(`plan of epoch ${epoch.epoch}`, epoch.planSha256, its?.planSha256, loop),
    ];
  });
}

function compared(name: string, ours: string, theirs: string | undefined, loop: string): Check {
  const same = ours === theirs;
  return {
    name,
    verdict: same ? "pass" : "fail",
    measured: same ? `${short(ours)} three times` : `${short(ours)} and ${short(theirs)}`,
    tolerance: "equal",
    detail: same ? "" : `TypeScript and the backend: ${short(ours)}; ${loop}: ${short(theirs)}`,
  };
}

const short = (hash: string | undefined): string => hash?.slice(0, 8) ?? "nothing";
