/** Alone here, so that a command that finds no such file loads nothing for it. */
export const PROJECT_FILE = ".ibatch.yaml";
