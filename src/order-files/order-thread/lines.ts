/** What a user's code writes, by the line; so much of it, and no more. */
import { once } from "node:events";
import type { Readable } from "node:stream";
import { onLines } from "../../process/output-lines.js";
import { AND_MORE } from "./output.js";

const MOST_LINES = 1000;

/** Tells the first thousand lines of a stream. Resolves at its end. */
export async function tellLines(stream: Readable, tell: (line: string) => void): Promise<void> {
  let count = 0;
  onLines(stream, (line) => {
    count += 1;
    if (count <= MOST_LINES) tell(line);
    if (count === MOST_LINES) tell(AND_MORE);
  });
  await once(stream, "close");
}
