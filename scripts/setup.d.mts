import type { runTool } from "./setup/tools.mjs";

export interface SetupOptions {
  python?: string | undefined;
  dev?: boolean;
  build?: boolean;
  needsPython?: boolean;
  root?: string;
  env?: NodeJS.ProcessEnv;
  run?: typeof runTool;
  say?: (text: string) => void;
  quiet?: boolean;
}

export function setUp(options?: SetupOptions): Promise<{ python: string }>;
export function orExit<T>(work: () => T | Promise<T>, beforeExit?: () => void): Promise<T>;
export function checkNode(version: string): void;
export function takePython(args: string[]): { python: string | undefined; rest: string[] };
export function isMain(url: string): boolean;
