export function recordedIn(out: string): Map<string, string>;
export function differencesFrom(expected: Map<string, string>, out: string): string[];
export function wronglyResumed(out: string, said: Map<string, number[]>, isWhole: boolean): string[];
export function resumedIn(out: string, arm: string): number[];
