export function shareOut(files: readonly (readonly [name: string, weight: number])[], count: number): string[][];
