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
    .array(z.string())
    .optional()
    .describe("use the backend that runs at this control endpoint, instead of starting one")
    .meta({ placeholder: "URL" }),
  keys: z
    .string()
    .optional()
    .describe("directory with client.key_secret and server.key of `ibatch keys`, for --backend (default: IBATCH_KEYS)")
    .meta({ placeholder: "DIR" }),
};

/** Of commands that run what a config's references name. */
export const userCodeOptions = {
  allowImport: z
    .array(z.string().regex(/^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$/, "expected a module, as team.models"))
    .default([])
    .describe("a module of yours, with its submodules, that references may name: it runs code; may be repeated")
    .meta({ placeholder: "MODULE" }),
  pythonPath: z
    .array(z.string())
    .default([])
    .describe("look for your modules in this directory, too; may be repeated")
    .meta({ placeholder: "DIR" }),
};
