/** Node opens all that a module imports at once, ours as much as the command's work. */
export const isOutOfFiles = (error: unknown): boolean =>
  error instanceof Error && "code" in error && (error.code === "EMFILE" || error.code === "ENFILE");

export const OUT_OF_FILES = "too many files are open: raise `ulimit -n`, to 256 at least";
