/** A word as a POSIX shell takes it, so that a command that is shown can be copied. A bare ~ would be a home directory. */
export const quoted = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
