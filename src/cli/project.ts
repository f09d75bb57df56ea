import { existsSync } from "node:fs";
import { PROJECT_FILE } from "../launch/project-file-name.js";

/** The options that were typed, completed by the project's file; what that gives is said. `known`: the command's. */
export async function withProjectFile(
  given: Readonly<Record<string, unknown>>,
  known: readonly string[],
): Promise<Record<string, unknown>> {
  if (!existsSync(PROJECT_FILE)) return { ...given };
  const { note } = await import("./note.js");
  const { asOptions, readProjectFile, takenSettings } = await import("../launch/project-file.js");
  const file = readProjectFile();
  if (file === undefined) return { ...given };
  const { taken, untrusted } = takenSettings(file, { given, known, environment: process.env });
  const [used, left] = [asOptions(taken), asOptions(untrusted)];
  if (used.length > 0) note(`ibatch: ${PROJECT_FILE} gives ${used.join(" ")}`);
  if (left.length > 0) {
    note(
      `ibatch: ${PROJECT_FILE} also says ${left.join(" ")}, which runs code and is left out: read it, then \`ibatch trust\``,
    );
  }
  return { ...given, ...taken };
}
