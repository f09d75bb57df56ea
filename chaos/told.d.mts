export interface Loss {
  how: string;
  arm?: string;
  line?: string;
}
export interface Interrupted {
  arm: string;
  step: number;
  from?: number;
}
export function interrupted(line: string): Interrupted | undefined;
export function underWay(lines: string[]): string | undefined;
export function afterLoss(line: string): Loss | undefined;
export function replacements(lines: string[]): number;
export function goneOnElsewhere(
  expected: Map<string, number | undefined>,
  lines: string[],
  isDone: boolean,
): string[];
export function resumedSteps(lines: string[]): Map<string, number[]>;
