import { fakePython } from "../process/fake-python.js";

/**
 * An executable in place of the Python that runs py_ray: it says these lines at once, then for each request that it gets, whatever
 * that is, the next of `answers`, and ends when its standard input closes.
 */
export function fakePlacing(directory: string, first: readonly string[], answers: readonly (readonly string[])[] = []) {
  const say = (lines: readonly string[]) => lines.map((line) => `echo '${line}'`);
  const steps = answers.flatMap((lines) => ["read -r request || exit 0", 'echo "$request" >> requests', ...say(lines)]);
  return fakePython(directory, `cd '${directory}'`, ...say(first), ...steps, "while read -r request; do :; done");
}

export const CONNECTED = '{"type":"connected","version":"2.60.0"}';
