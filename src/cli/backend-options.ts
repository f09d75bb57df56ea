/** The options that every command with a backend has. */
import { resolve } from "node:path";
import { z } from "zod";
import { type Backend, openBackend } from "../backend/backend.js";
import type { ExperimentConfig } from "../experiment/config.js";
import { backendSection } from "../experiment/schema.js";

export const backendOptions = {
  data: z
    .string()
    .optional()
    .describe("directory of the data files, on the backend's side (default: IBATCH_DATA, else ./data)")
    .meta({ placeholder: "DIR" }),
  python: z
    .string()
    .optional()
    .describe("Python to run the backend with (default: IBATCH_PYTHON, else .venv)")
    .meta({ placeholder: "PATH" }),
  device: z.string().optional().describe("auto, cpu or cuda:N").meta({ placeholder: "D" }),
  backend: z
    .string()
    .optional()
    .describe("use the backend that runs at this control endpoint, instead of starting one")
    .meta({ placeholder: "URL" }),
};

export interface BackendChoice {
  readonly data?: string | undefined;
  readonly python?: string | undefined;
  readonly device?: string | undefined;
  readonly backend?: string | undefined;
}

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
