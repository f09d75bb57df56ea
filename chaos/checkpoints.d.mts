export function newestStep(out: string, arm: string): number | undefined;
export class Watch {
  constructor(out: string, seen: Map<string, number | undefined>, unusable?: string[]);
  look(): string[];
}
