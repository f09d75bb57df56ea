import { inject } from "vitest";
import { findPython } from "../../src/process/find-python.js";

/** The Python of these tests. */
export const coldPython = inject("coldPython") ?? findPython(undefined);

/**
 * The same, started by forking one that has imported torch and scipy: some hundredths of a second, not some seconds.
 * Each start is a process of its own still. Not for tests of how Python starts, ends or hangs, of what lies in its
 * environment, or of more than one thread; and all that are forked share a seed of string hashes.
 */
export const warmPython = inject("warmPython") ?? coldPython;
