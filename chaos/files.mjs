// Files and directories that a command may write, or remove, meanwhile.
import { readdirSync, readFileSync } from "node:fs";

/** Names; none where there is no such directory. */
export const listed = (directory) => ifThere(() => readdirSync(directory), []);

/** The text; none where there is no such file. */
export const read = (path) => ifThere(() => readFileSync(path, "utf8"), "");

function ifThere(act, otherwise) {
  try {
    return act();
  } catch (error) {
    if (error.code === "ENOENT" || error.code === "ENOTDIR") return otherwise;
    throw error;
  }
}
