export interface ToolOptions {
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  timeout?: number;
  onData?: (text: string) => void;
  giveUp?: (output: string) => boolean;
}

export interface ToolResult {
  code: number | null;
  signal: NodeJS.Signals | null;
  errno: string | null;
  output: string;
}

export function runTool(command: string, args: string[], options?: ToolOptions): Promise<ToolResult>;
