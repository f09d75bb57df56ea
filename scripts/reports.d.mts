export interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

export interface Failure {
  name: string;
  message: string;
}

export function countVitest(json: string | null): Counts | null;
export function countPytest(xml: string | null): Counts | null;
export function failuresOfVitest(json: string | null): Failure[];
export function failuresOfPytest(xml: string | null): Failure[];
export function allFailures(
  failures: Failure[],
  of: { judged: Counts; exitCode: number | null; runner: string },
): Failure[];
export function retold(failures: Failure[]): string;
export function judge(counts: Counts | null, exitCode: number | null): Counts;
export function summary(results: Counts[]): string;
