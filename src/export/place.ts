import { join, relative, resolve, sep } from "node:path";
import { usageError } from "../errors.js";
import { EXPORTS } from "../record/export-files.js";

/** The directory of a target in the experiment's own directory. */
export const ownPlace = (directory: string, target: string): string => join(directory, EXPORTS, target);

/**
 * `out` again, once it is known to be none of what runs write.
 * @throws IbatchError when it lies in the experiment's directory outside of its `export`.
 */
export function checkedPlace(directory: string, out: string): string {
  const [first] = relative(resolve(directory), resolve(out)).split(sep);
  if (first === ".." || first === EXPORTS || resolve(out) === first) return out; // the last: on another drive
  throw usageError(
    `--out ${out} is in ${directory}, among what runs record: name a place outside, or in ${join(directory, EXPORTS)}`,
  );
}
