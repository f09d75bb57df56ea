import type { CommandDefinition } from "./command.js";
import { text, type ValuesOf } from "./command-option.js";

const options = {
  out: text("FILE", "write the page here instead, also while the experiment runs (default: report.html in DIR)"),
  python: text(
    "PATH",
    "Python with scipy for the statistics, where they are not on record (default: IBATCH_PYTHON, else .venv)",
  ),
};

export type ReportOptions = ValuesOf<typeof options>;

export const reportCommand: CommandDefinition<ReportOptions> = {
  name: "report",
  summary: "make report.html, one page that needs no network, and the tables of a run directory, finished or not",
  arguments: [{ syntax: "<dir>", help: "directory of an experiment, as `ibatch run` names it" }],
  options,
  examples: ["ibatch report runs/digits-a14ec350", "ibatch report runs/digits-a14ec350 --out now.html"],
  run: async ([directory], values, signal) => (await import("./report.js")).report(directory, values, signal),
};
