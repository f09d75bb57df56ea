import type { Interrupted } from "./told.mjs";

export function judgeInterruption(of: {
  arm: string;
  said: Interrupted | undefined;
  seconds: number | undefined;
  newest: number | undefined;
}): { wasInTime: boolean; faults: string[] };
