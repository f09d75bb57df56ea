export const HELP: string;
export function readOptions(args: string[]): {
  help: boolean;
  pythonVersions: string[];
  node: string | undefined;
  without: string[];
  folders: string[];
  output: string | undefined;
  mostMiB: number;
  python: string | undefined;
};
export function archiveName(about: { version: string; arch: string; pythonVersions: string[] }): string;
export function folderName(output: string): string;
