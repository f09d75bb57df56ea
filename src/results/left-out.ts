/** What is damaged is shown by nobody, and said by everybody. */
import type { DamagedRun } from "../record/find-runs.js";

/** A list below the table. */
export const leftOutOfTable = (damaged: readonly DamagedRun[]): string =>
  damaged.length === 0 ? "" : `\n${damaged.map(({ damage }) => `- Left out: ${damage}\n`).join("")}`;
