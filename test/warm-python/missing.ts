/** Of the tests that start no backend some want statistics, and so a Python: they are skipped where there is none. */
import { findPython } from "../../src/process/find-python.js";

export const isPythonMissing = ((): boolean => {
  try {
    findPython(undefined);
    return false;
  } catch {
    return true;
  }
})();
