import type { LoopCase } from "./report.mjs";

export const LOOPS: ({ name: string } & LoopCase)[];
export const CONTROL: { name: string; model: string; batchSize: number; samples: number; bar: number };
export const STARTS: { name: string; args: string[]; bar: number }[];
export const NAMES: string[];
