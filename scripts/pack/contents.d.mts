import type { PackedFile } from "./modules.mjs";
import type { Wheel } from "./wheels.mjs";

export function contents(asked: {
  root: string;
  node: { arch: string; machine: string; path: string; program: string };
  wheels: Wheel[];
  folders: string[];
  digits: PackedFile[];
  folder: string;
  about: { version: string; commit: string | null; pythonVersions: string[] };
}): { name: string; files: (PackedFile & { program?: boolean })[] }[];
export function digitsFiles(python: string, run: typeof import("../setup/tools.mjs").runTool): Promise<PackedFile[]>;
export function licenceOfNode(node: { path: string }): PackedFile[];
