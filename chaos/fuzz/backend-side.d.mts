export function fuzzBackend(how: {
  control: string;
  work: string;
  seed: number;
  first: number;
  count: number;
  onSent?: (done: number) => void;
}): Promise<string[]>;
