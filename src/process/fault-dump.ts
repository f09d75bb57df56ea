/** Where a Python program was when it hung or crashed, read off what its fault handler writes. */

interface Frame {
  readonly file: string;
  readonly line: string;
  readonly name: string;
}

/** How a program ended, and what it said last. */
export interface Ended {
  readonly how: string;
  readonly said: readonly string[];
}

const FATAL = /^Fatal Python error: /;
const THREAD = /^(?<current>Current thread|Thread) 0x\S+.* \(most recent call first\):$/;
const FRAME = /^ {2}File "(?<file>[^"]+)", line (?<line>\d+) in (?<name>.+)$/;
const OTHERS_OF_A_DUMP = [THREAD, FRAME, /^ {2}\.\.\.$/, /^ {2}<no Python frame>$/, /^Extension modules: /, /^$/];

const MODULE = "<module>";
const DESTRUCTOR = "__del__";
const IMPORTER = "<frozen importlib";
/** What is nobody's own: frozen modules, those of Python and what is installed, the backend. */
const LIBRARY = /^<frozen |[\\/](?:(?:site|dist)-packages|lib[\\/]python3[^\\/]*|py_backend)[\\/]/;

/**
 * The innermost call of the user's in the thread under way, the module whose import it belongs to, and what it called,
 * as a person reads them. Of a thread without any the innermost call; undefined where there is none.
 */
export function whereItWas(lines: readonly string[]): string | undefined {
  const frames = framesUnderWay(lines);
  const innermost = frames.find(({ file }) => !file.startsWith("<frozen "));
  if (innermost === undefined) return undefined;
  const own = frames.find(({ file }) => !LIBRARY.test(file)) ?? innermost;
  const module = importOf(frames, own);
  const called =
    own === innermost ? "" : `, which called ${innermost.file}, line ${innermost.line}, in ${innermost.name}`;
  const at = `${own.file}, line ${own.line}`;
  if (module === own) return `${at}, at its import${called}`;
  const importing = module === undefined ? "" : `, at the import of ${module.file} (line ${module.line})`;
  return `${at}, in ${own.name}${importing}${called}`;
}

/** The innermost first. */
function framesUnderWay(lines: readonly string[]): Frame[] {
  const fatal = lines.findLastIndex((line) => FATAL.test(line));
  const from = lines.findIndex((line, at) => at > fatal && THREAD.exec(line)?.groups?.current === "Current thread");
  if (fatal < 0 || from < 0) return [];
  const frames: Frame[] = [];
  for (const line of lines.slice(from + 1)) {
    const groups = FRAME.exec(line)?.groups;
    if (groups === undefined) break;
    frames.push({ file: groups.file, line: groups.line, name: groups.name });
  }
  return frames;
}

/** The module whose import a call belongs to. What a destructor does belongs to none, whenever it is called. */
function importOf(frames: readonly Frame[], call: Frame): Frame | undefined {
  const outward = frames.slice(frames.indexOf(call));
  const at = outward.findIndex(({ name }, index) => name === MODULE && outward[index + 1]?.file.startsWith(IMPORTER));
  if (at < 0 || outward.slice(0, at).some(({ name }) => name === DESTRUCTOR)) return undefined;
  return outward[at];
}

/** What it said, without the stacks of a dump. */
const withoutDump = (lines: readonly string[]): readonly string[] =>
  lines.some((line) => FATAL.test(line))
    ? lines.filter((line) => !OTHERS_OF_A_DUMP.some((pattern) => pattern.test(line)))
    : lines;

/** One that crashed ended where it was, which stands in place of its stacks. */
export function endedWith(how: string, lines: readonly string[]): Ended {
  const place = whereItWas(lines);
  return { how: place === undefined ? how : `${how} in ${place}`, said: withoutDump(lines) };
}
