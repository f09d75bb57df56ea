import type { CudaOptions } from "./options.mjs";

export interface CudaPart {
  name: string;
  /** Seconds. */
  limit: number;
  command: string[];
  cwd?: string;
  /** Is said by what passes. */
  expected?: string;
  skipped?: string | undefined;
}

export function partsOf(
  options: CudaOptions,
  programs: { ibatch: string[]; python: string[] },
  root: string,
): CudaPart[];
export function runsOf(out: string): string;
