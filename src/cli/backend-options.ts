/** The options that every command with a backend has. */
import { z } from "zod";

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
