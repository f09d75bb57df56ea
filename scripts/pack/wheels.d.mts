export interface Wheel {
  name: string;
  module: string;
  needed: boolean;
  folder: string;
  python: string;
  abi: string;
}

export const GLIBC: string;
export function requirements(texts: string[], pythonVersion: string, without?: string[]): string[];
export function ofTests(text: string): string;
export function readName(file: string): Wheel & { file: string };
export function isUsed(path: string): boolean;
