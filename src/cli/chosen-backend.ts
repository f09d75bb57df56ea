import { resolve } from "node:path";
import { type Backend, openBackend } from "../backend/backend.js";
import { usageError } from "../errors.js";
import type { ExperimentConfig } from "../experiment/config.js";
import { backendSection } from "../experiment/schema.js";
import type { BackendChoice } from "./backend-options.js";

export interface Opening {
  readonly signal: AbortSignal;
  /** The config's section; absent: its defaults. */
  readonly config?: ExperimentConfig["backend"];
  readonly onStderr?: (line: string) => void;
}

/** Starts a backend or attaches to one, as the command line and the config say. */
export async function openChosenBackend(choice: BackendChoice, opening: Opening): Promise<Backend> {
  const { config = backendSection.parse({}), signal, onStderr } = opening;
  const { backend: url, python, device = config.device } = choice;
  if (url !== undefined && python !== undefined) {
    throw usageError(
      `--python ${python}: --backend ${url} runs already, with a Python of its own; leave one of them out`,
    );
  }
  return await openBackend({ ...config, url, python, device, signal, onStderr });
}

/** A backend that is only asked what it knows: on the CPU where it is ours, else whatever it computes on. */
export function openToAsk(choice: Omit<BackendChoice, "device">, signal: AbortSignal): Promise<Backend> {
  return openChosenBackend({ ...choice, device: choice.backend === undefined ? "cpu" : "auto" }, { signal });
}

/** The data directory as the backend is to be told: absolute when the backend is ours, as typed when it is elsewhere. */
export function dataDirectory({ data, backend }: BackendChoice): string {
  const directory = data ?? process.env.IBATCH_DATA ?? "data";
  return backend === undefined ? resolve(directory) : directory;
}
