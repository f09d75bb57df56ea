import type { Result } from "./run-chaos.mjs";

export interface Scene {
  count(row: string): void;
}
export interface Chance {
  next(): number;
}
interface Case {
  name: string;
  planned: string[];
  run(scene: Scene, random: Chance): Promise<void>;
}
export class World {
  constructor(folder: string, options: { seed: number; quick: boolean; python: string });
  runCase(one: Case): Promise<Required<Result>>;
}
