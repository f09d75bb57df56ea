export function takeLock(path: string, say: (text: string) => void): Promise<() => void>;
