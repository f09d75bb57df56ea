import type { Loss } from "../told.mjs";

export function judgeLoss(
  at: { place: string; arm: string | undefined },
  loss: Loss | undefined,
  hasBegun: boolean,
): { wasHit: boolean; mayFail: boolean; fault?: string };
