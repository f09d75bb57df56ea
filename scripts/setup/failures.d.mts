export type FailureKind = "disk" | "certificate" | "network" | "lock" | "version" | "permission" | "venv" | "other";

export class SetupError extends Error {
  constructor(message: string, exitCode?: number);
  exitCode: number;
}

export function classifyFailure(output: string): { kind: FailureKind; evidence: string };
export function nothingCameThrough(output: string): boolean;
