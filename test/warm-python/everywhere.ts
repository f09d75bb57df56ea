/** Vitest's set-up of a file: where a test does not name a Python, the warm one is taken, if there is any. */
import { inject } from "vitest";

const warm = inject("warmPython");
if (warm !== null) process.env.IBATCH_PYTHON = warm;
