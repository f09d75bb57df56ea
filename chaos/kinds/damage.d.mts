interface Expected {
  named: string[];
  next: { arm: string; step: string | undefined }[];
}
export function otherThan(expected: Expected, lines: string[]): string[];
