export function notJust(named: string[], lines: string[]): string[];
