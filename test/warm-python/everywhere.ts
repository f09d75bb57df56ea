/** Vitest's set-up of a file: where a test does not name a Python, the warm one is taken. */
import { warmPython } from "./python.js";

process.env.IBATCH_PYTHON = warmPython;
