export function processesIn(folder: string): { pid: number; command: string }[];
