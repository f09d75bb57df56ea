import { EXPORT_TARGETS } from "../export/index.js";
import type { CommandDefinition } from "./command.js";
import { text, type ValuesOf } from "./command-option.js";

const targets = EXPORT_TARGETS.map(({ name, summary }) => `${name} (${summary})`).join(", ");

const options = {
  to: text("TARGET", `needed: ${targets}`),
  out: text("PATH", "write here (default: DIR/export/TARGET; markdown: standard output)"),
  python: text("PATH", "Python for tensorboard and markdown (default: IBATCH_PYTHON, else .venv)"),
};

export type ExportOptions = ValuesOf<typeof options>;

export const exportCommand: CommandDefinition<ExportOptions> = {
  name: "export",
  summary: "what a run directory holds, finished or not, for other programs; nothing that runs wrote is touched",
  arguments: [{ syntax: "<dir>", help: "directory of an experiment, as `ibatch run` names it" }],
  options,
  examples: [
    "ibatch export runs/digits-a14ec350 --to csv",
    "ibatch export runs/digits-a14ec350 --to tensorboard && \\\n    tensorboard --logdir runs",
    "ibatch export runs/digits-a14ec350 --to markdown > table.md",
  ],
  run: async ([directory], values, signal) => (await import("./export.js")).exportTo(directory, values, signal),
};
