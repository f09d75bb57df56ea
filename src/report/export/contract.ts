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

/** Writes the export; returns what belongs on standard output. */
export type Export = (request: ExportRequest) => Promise<string>;

export interface ExportTarget {
  readonly name: string;
  /** For --help: what it makes, and where without --out. */
  readonly summary: string;
  /** Its code is loaded when it is asked for. */
  readonly load: () => Promise<Export>;
}
