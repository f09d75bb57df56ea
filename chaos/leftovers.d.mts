export function leftBehind(scene: { out: string; temporary: string; folder: string }): Promise<string[]>;
export function endAll(folder: string): void;
