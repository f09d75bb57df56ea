export interface Options {
  python: string;
  seed: number;
  quick: boolean;
  lanes: number;
  only?: string[];
  cases?: string[];
}

export interface Result {
  name: string;
  /** What was to be done, each time by the name of its way. */
  planned: string[];
  injected?: Map<string, number>;
  faults?: string[];
  /** Why it was not tried. */
  skipped?: string;
  commands?: number;
  /** Kept where it has failed. */
  folder?: string;
}

export function plannedCases(options: Options): { name: string; planned: string[] }[];
export function runChaos(options: Options, say: (line: string) => void): Promise<Result[]>;
