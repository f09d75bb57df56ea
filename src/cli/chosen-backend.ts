import { resolve } from "node:path";
import { type Backend, openBackend } from "../backend/backend.js";
import type { ExperimentConfig } from "../experiment/config.js";
import { backendSection } from "../experiment/schema.js";
import type { BackendChoice } from "./backend-options.js";

/** Starts a backend or attaches to one, as the command line and the config say. */
export function openChosenBackend(
  choice: BackendChoice,
  config: ExperimentConfig["backend"] = backendSection.parse({}),
): Promise<Backend> {
  return openBackend({ ...config, url: choice.backend, python: choice.python, device: choice.device ?? config.device });
}

/** The data directory as the backend is to be told: absolute when the backend is ours, as typed when it is elsewhere. */
export function dataDirectory({ data, backend }: BackendChoice): string {
  const directory = data ?? process.env.IBATCH_DATA ?? "data";
  return backend === undefined ? resolve(directory) : directory;
}
