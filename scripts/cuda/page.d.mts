interface Measured {
  machine: { deviceName: string; device: string; processor: string; cores: number; versions: Record<string, string> };
  cases: {
    model: string;
    loops: { name: string; samplesPerSecond: number }[];
    control: { shareOfEpoch: number };
    twice: { equal: boolean };
  }[];
}

export interface Benches {
  float32: Measured | undefined;
  bfloat16: Measured | undefined;
  equalBits: Measured | undefined;
}

export function barRows(
  benches: Benches,
  isGpu: boolean,
): { what: string; expected: string; measured: string; verdict: string }[];
export function verdictOf(part: {
  skipped?: string | undefined;
  expected?: string | undefined;
  limit: number;
  result: { code?: number | null; signal?: string | null; errno?: string | null; output: string };
}): { verdict: string; why: string };
export function pageText(about: {
  parts: { name: string; verdict: string; why: string; seconds: number; output: string }[];
  benches: Benches;
  isGpu: boolean;
  command: string;
  commit: string | undefined;
  date: string;
}): string;
