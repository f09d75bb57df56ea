export function messageAt(
  seed: number,
  side: string,
  number: number,
  session?: string,
): { how: string; frames: Buffer[] };
