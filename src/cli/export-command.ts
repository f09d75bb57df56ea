import { z } from "zod";
import { EXPORT_TARGETS } from "../export/index.js";
import { backendOptions } from "./backend-options.js";
import type { CommandDefinition } from "./command.js";

const targets = EXPORT_TARGETS.map(({ name, summary }) => `${name} (${summary})`).join(", ");

const options = z.strictObject({
  to: z.string().optional().describe(`needed: ${targets}`).meta({ placeholder: "TARGET" }),
  out: z
    .string()
    .optional()
    .describe("write here (default: DIR/export/TARGET; markdown: standard output)")
    .meta({ placeholder: "PATH" }),
  python: backendOptions.python
    .describe("Python for tensorboard and markdown (default: IBATCH_PYTHON, else .venv)")
    .meta({ placeholder: "PATH" }),
});

export type ExportOptions = z.infer<typeof options>;

export const exportCommand: CommandDefinition<typeof options.shape> = {
  name: "export",
  summary: "what a run directory holds, finished or not, for other programs; nothing that runs wrote is touched",
  arguments: [{ syntax: "<dir>", help: "directory of an experiment, as `ibatch run` names it" }],
  options,
  examples: [
    "ibatch export runs/digits-a14ec350 --to csv",
    "ibatch export runs/digits-a14ec350 --to tensorboard && \\\n    tensorboard --logdir runs",
    "ibatch export runs/digits-a14ec350 --to markdown > table.md",
  ],
};
