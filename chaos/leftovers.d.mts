export function leftBehind(of: { out: string; temporary: string; mark: string }): Promise<string[]>;
