import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { LastLines, MAX_LINE_LENGTH, onLines } from "../../src/process/output-lines.js";

/** The lines of what arrives in these pieces. */
async function linesOf(...pieces: (string | Buffer)[]): Promise<string[]> {
  const stream = new PassThrough();
  const lines: string[] = [];
  onLines(stream, (line) => lines.push(line));
  for (const piece of pieces) stream.write(piece);
  stream.end();
  await new Promise((resolve) => stream.once("close", resolve));
  return lines;
}

test("lines are as they were written, however they arrive, the last one without its end, too", async () => {
  expect(await linesOf("one\nt", "wo\n", "\nfo", "ur")).toEqual(["one", "two", "", "four"]);
  const [first, second] = [Buffer.from("å\n").subarray(0, 1), Buffer.from("å\n").subarray(1)];
  expect(await linesOf(first, second)).toEqual(["å"]);
  expect(await linesOf()).toEqual([]);
});

test("what a progress bar wrote over is left out; the ends of lines of Windows are ends of lines", async () => {
  expect(await linesOf("10 %\r20 %\r30 %\nnext\r\n")).toEqual(["30 %", "next"]);
  expect(await linesOf("10 %\r", "20 %\r", "30 %", "\n", "next\r", "\n")).toEqual(["30 %", "next"]);
});

test("an endless line is cut and counted: no more of it is kept", async () => {
  const piece = "x".repeat(MAX_LINE_LENGTH / 2);
  const cut = `${"x".repeat(MAX_LINE_LENGTH)} … (${MAX_LINE_LENGTH / 2} characters more)`;
  expect(await linesOf(piece, piece, piece, "\nnext\n")).toEqual([cut, "next"]);
  expect(await linesOf("x".repeat(MAX_LINE_LENGTH), "\n")).toEqual(["x".repeat(MAX_LINE_LENGTH)]);
});

test("the last lines are the newest", () => {
  const last = new LastLines(3);
  for (let at = 0; at < 10; at++) last.add(String(at));
  expect(last.lines).toEqual(["7", "8", "9"]);
});
