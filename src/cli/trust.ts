import { usageError } from "../errors.js";
import { asOptions, readProjectFile } from "../launch/project-file.js";
import { PROJECT_FILE } from "../launch/project-file-name.js";
import { trust as trustFile } from "../record/trusted-files.js";
import { EXIT } from "./exit-codes.js";

/** `ibatch trust`: returns the exit code. */
export function trust(): number {
  const file = readProjectFile();
  if (file === undefined) throw usageError(`${PROJECT_FILE}: there is no such file in this directory`);
  trustFile(file.path, file.sha256);
  process.stdout.write(`trusted as it is now: ${file.path}, which gives ${asOptions(file.settings).join(" ")}\n`);
  return EXIT.done;
}
