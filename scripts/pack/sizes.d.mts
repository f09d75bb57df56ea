export interface WrittenPart {
  name: string;
  files: number;
  bytes: number;
  packed: number;
}

export function sizes(parts: WrittenPart[]): string;
export function tooLarge(parts: WrittenPart[], most: number): string | undefined;
