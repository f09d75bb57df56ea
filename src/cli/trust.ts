import { usageError } from "../errors.js";
import { asOptions, PROJECT_FILE, readProjectFile } from "../launch/project-file.js";
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
