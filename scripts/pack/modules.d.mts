interface LockedPackage {
  dev?: boolean;
  devOptional?: boolean;
  optional?: boolean;
  os?: string[];
  cpu?: string[];
}

export type PackedFile = { at: string } & ({ from: string } | { text: string });

export function filesOfModules(root: string, arch: string): PackedFile[];
export function productionPackages(
  lock: { packages: Record<string, LockedPackage> },
  arch: string,
  isThere?: (path: string) => boolean,
): string[];
export function isRun(path: string): boolean;
export function addonFor(paths: string[], arch: string, glibcNeeded: (path: string) => string): string;
export function manifestOf(manifest: Record<string, string>, addon: string): string;
export function glibcNeededBy(path: string): string;
export function newest(versions: string[]): string;
