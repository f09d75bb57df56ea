export function makeMemoryDirectory(parent?: string, leastBytes?: number): string | undefined;
