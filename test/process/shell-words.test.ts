// A word that is shown is the word that a shell gives on.
import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { quoted } from "../../src/process/shell-words.js";

test.each(["", "a b", "it's", "$HOME", "a\\b", "*", "`x`", "two\nlines", "~", "~/data", "/a~b"])("%j", (word) => {
  const program = `for word in ${quoted(word)}; do printf %s "$word"; done`;
  expect(execFileSync("sh", ["-c", program], { encoding: "utf8" })).toBe(word);
});

test.each(["/a/b-c_d.yaml", "--threads", "backend.device=cuda:0", "tcp://127.0.0.1:5555"])(
  "%s stays as it is",
  (word) => {
    expect(quoted(word)).toBe(word);
  },
);

// bash has it in what looks like an assignment, too, and no other shell that may be there to be asked
test("a home directory is not meant anywhere", () => {
  expect(quoted("dataset.path=~/x")).toBe("'dataset.path=~/x'");
});
