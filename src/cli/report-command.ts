import { z } from "zod";
import type { CommandDefinition } from "./command.js";

const options = z.strictObject({
  out: z
    .string()
    .optional()
    .describe("write the page here instead, also while the experiment runs (default: report.html in DIR)")
    .meta({ placeholder: "FILE" }),
  python: z
    .string()
    .optional()
    .describe("Python with scipy for the statistics, where they are not on record (default: IBATCH_PYTHON, else .venv)")
    .meta({ placeholder: "PATH" }),
});

export type ReportOptions = z.infer<typeof options>;

export const reportCommand: CommandDefinition<typeof options.shape> = {
  name: "report",
  summary: "make report.html, one page that needs no network, and the tables of a run directory, finished or not",
  arguments: [{ syntax: "<dir>", help: "directory of an experiment, as `ibatch run` names it" }],
  options,
  examples: ["ibatch report runs/digits-a14ec350", "ibatch report runs/digits-a14ec350 --out now.html"],
};
