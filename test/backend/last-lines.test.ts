import { expect, test } from "vitest";
import { BackendLost } from "../../src/backend/errors.js";
import { withLastLines } from "../../src/process/output-lines.js";

test("what ended is one line with what it said last, however it was laid out, and the same from all that end", () => {
  const said = ["Traceback:", `  ${"x".repeat(300)}\r`, "no memory"];
  const line = `exit code 9; its last lines: Traceback: | ${"x".repeat(200)} | no memory`;
  expect(withLastLines("exit code 9", said)).toBe(line);
  expect(new BackendLost("exit code 9", said).message).toBe(line);
  expect(withLastLines("exit code 9", [])).toBe("exit code 9");
});
