export function inLanes<T>(lanes: number, tasks: (() => Promise<T>)[]): Promise<T[]>;
