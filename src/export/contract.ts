/** What an export is. One file of this folder is one target; `index.ts` is their table. */

export interface ExportRequest {
  /** Of the experiment, as `ibatch run` names it; read only. */
  readonly directory: string;
  /** Where to write, as the user said it. */
  readonly out: string | undefined;
  /** Python, as the user named it, for targets that need one. */
  readonly python: string | undefined;
  readonly signal: AbortSignal;
}

export interface Exported {
  /** What belongs on standard output. */
  readonly written: string;
  /** What is damaged, and so not in the export: a line each. */
  readonly leftOut: readonly string[];
}

export type Export = (request: ExportRequest) => Promise<Exported>;

export interface ExportTarget {
  readonly name: string;
  /** For --help: what it makes, and where without --out. */
  readonly summary: string;
  /** Its code is loaded when it is asked for. */
  readonly load: () => Promise<Export>;
}
