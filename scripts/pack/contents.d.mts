import type { PackedFile } from "./modules.mjs";
import type { Wheel } from "./wheels.mjs";

export function contents(asked: {
  root: string;
  node: { arch: string; machine: string; program: string };
  wheels: Wheel[];
  folders: string[];
  digits: PackedFile;
  folder: string;
  about: { version: string; commit: string | null; pythonVersions: string[] };
}): { name: string; files: (PackedFile & { program?: boolean })[] }[];
