/** The final table of a directory, computed from what its runs recorded, and from nothing else. */
import { writeExported } from "../../record/export-files.js";
import { readResults } from "../recorded-results.js";
import type { ExportRequest } from "./contract.js";
import { checkedPlace } from "./place.js";

export async function exportMarkdown({ directory, out, python, signal }: ExportRequest): Promise<string> {
  const path = out === undefined ? undefined : checkedPlace(directory, out);
  const { table } = await readResults(directory, { python, signal });
  return path === undefined ? table : `${writeExported(path, table)}\n`;
}
