export function main(
  python: string,
  args: string[],
  say?: { log(text: string): void; error(text: string): void },
): Promise<number>;
