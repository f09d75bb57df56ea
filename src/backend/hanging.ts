/** Where a Python program hangs, read off what its fault handler writes at SIGABRT. */

const FRAME = /^ {2}File "(?<file>[^"]+)", line (?<line>\d+) in (?<name>.+)$/;
const IMPORTING = "<module>";

/**
 * The innermost call of the thread under way, and the module whose import it belongs to, as a person reads them;
 * undefined where there is none.
 */
export function whereItHangs(said: readonly string[]): string | undefined {
  const from = said.findIndex((line) => line.startsWith("Current thread"));
  const frames = said
    .slice(from + 1)
    .flatMap((line) => {
      const groups = FRAME.exec(line)?.groups;
      return groups === undefined ? [] : [groups];
    })
    .filter(({ file }) => !file.startsWith("<frozen "));
  if (from < 0 || frames.length === 0) return undefined;
  const [innermost] = frames;
  const module = frames.find(({ name }) => name === IMPORTING);
  const at = `${innermost.file}, line ${innermost.line}`;
  if (module === undefined) return `${at}, in ${innermost.name}`;
  return module === innermost ? `${at}, at its import` : `${at}, at the import of ${module.file} (line ${module.line})`;
}
