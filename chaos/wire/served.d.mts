export interface Served {
  readonly pid: number;
  readonly endpoint: string;
  readonly work: string;
  readonly ports: [number, number];
  readonly said: string;
  stop(): Promise<void>;
}
export function startServed(how: { python: string; folder: string; listen: string }): Promise<Served>;
