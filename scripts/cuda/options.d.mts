export interface CudaOptions {
  device: string;
  data: string;
  out: string;
  small: boolean;
  python?: string;
  help: boolean;
}

export function help(called: string): string;
export function readOptions(args: string[], surroundings?: { env?: NodeJS.ProcessEnv; now?: Date }): CudaOptions;
