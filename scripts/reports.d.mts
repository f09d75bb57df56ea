export interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

export function countVitest(json: string | null): Counts | null;
export function countPytest(xml: string | null): Counts | null;
export function judge(counts: Counts | null, exitCode: number | null): Counts;
export function summary(results: Counts[]): string;
