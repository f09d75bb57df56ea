import type { runTool } from "../setup/tools.mjs";

export function lookAtNode(
  path: string,
  run: typeof runTool,
): Promise<{ path: string; machine: string; arch: string; runsHere: boolean }>;
