/** Of the tests that start no backend some want statistics, and so a Python: they are skipped where there is none. */
import { findPython } from "../../src/process/find-python.js";

/** One that is named and is not there is no reason to skip them: they fail, and say so. */
export function hasNoPython(named = process.env.IBATCH_PYTHON): boolean {
  if (named !== undefined && named !== "") return false;
  try {
    findPython(undefined);
    return false;
  } catch {
    return true;
  }
}

export const isPythonMissing = hasNoPython();
