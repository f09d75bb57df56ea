export function fuzzController(how: {
  endpoint: string;
  seed: number;
  first: number;
  count: number;
  onSent?: (done: number) => void;
}): Promise<string[]>;
