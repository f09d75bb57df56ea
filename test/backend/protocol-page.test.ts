/** docs/PROTOCOL.md says what the code says: types, fields, arrays, limits, error codes. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { MAX_FRAMES, MAX_HEADER_BYTES, MAX_MESSAGE_BYTES, snakeCase, VERSION } from "../../src/backend/codec.js";
import { ERROR_CODES } from "../../src/backend/errors.js";
import { MESSAGES, type MessageKind, SIGNALS } from "../../src/backend/messages.js";

const page = readFileSync(new URL("../../docs/PROTOCOL.md", import.meta.url), "utf8");

/** The text under a heading, up to the next one. */
function section(title: string): string {
  const [, after] = page.split(`# ${title}\n`);
  return after.split(/^#+ /m)[0];
}

/** The cells of a section's table rows that begin with a name in code. */
const rows = (text: string): string[][] =>
  text
    .split("\n")
    .filter((line) => line.startsWith("| `"))
    .map((line) => line.slice(1, -1).split("|"))
    .map((cells) => cells.map((cell) => cell.trim()));

/** The parts between commas, leaving out what stands in brackets. */
const items = (cell: string): string[] =>
  cell
    .replace(/\([^)]*\)|\{[^}]*\}|\[[^\]]*\]/g, "")
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== "");

const names = (text: string): string[] => [...text.matchAll(/`([a-z0-9_]+)`/g)].map(([, name]) => name);
const signalLine = /^Signals: .*$/m.exec(page)?.[0] ?? "";

/** `name dtype dimensions`, with a question mark where the array may be missing. */
function arraysOf(cell: string): string[] {
  if (cell.startsWith("each signal asked for")) {
    return [...signalLine.matchAll(/`(\w+)` ([a-z]\d+)/g)].map(([, name, dtype]) => `${name}? ${dtype} 1`);
  }
  return [...cell.matchAll(/(optional )?`(\w+)` (\w+) \[([^\]]*)\]/g)].map(
    ([, optional, name, dtype, shape]) =>
      `${name}${optional === undefined ? "" : "?"} ${dtype} ${shape.split(",").length}`,
  );
}

test("every type with its fields and arrays, in order", () => {
  const told = Object.fromEntries(
    ["control", "work"]
      .flatMap((title) => rows(section(title)))
      .filter((cells) => cells.length === 3)
      .map(([type, fields, arrays]) => [
        names(type)[0],
        { fields: items(fields).map((item) => names(item)[0]), arrays: arraysOf(arrays) },
      ]),
  );
  const { error, ...others } = MESSAGES;
  const described = Object.entries<MessageKind>(others).map(([type, { fields, arrays }]) => [
    type,
    {
      fields: Object.keys(fields.shape).map(snakeCase),
      arrays: Object.entries(arrays).map(
        ([name, { dtype, optional, dimensions }]) => `${snakeCase(name)}${optional ? "?" : ""} ${dtype} ${dimensions}`,
      ),
    },
  ]);
  expect(told).toEqual(Object.fromEntries(described));
  const form = /type: "error", ([a-z, ]+), arrays: \[\]/.exec(page)?.[1].split(", ");
  expect(form).toEqual(Object.keys(error.fields.shape));
});

test("the signals", () => {
  expect(names(signalLine)).toEqual(SIGNALS);
});

test("each signal's definition", () => {
  const defined = rows(section("work")).filter(([name, ...others]) => /^`\w+`$/.test(name) && others.length === 1);
  expect(defined.map(([name]) => names(name)[0])).toEqual(SIGNALS);
});

test("the settings of a session", () => {
  const [, told] = /`settings` map \(([^)]*)\)/.exec(page) ?? [];
  const { settings } = MESSAGES.open_ok.fields.shape;
  expect(names(told ?? "")).toEqual(Object.keys(settings.shape).map(snakeCase));
});

test("the error codes", () => {
  const told = rows(section("Errors")).flatMap(([codes]) => names(codes));
  expect([...told].sort()).toEqual(Object.keys(ERROR_CODES).sort());
});

test("version and limits", () => {
  expect(/version (\d+)$/m.exec(page.split("\n")[0])?.[1]).toBe(String(VERSION));
  const limits = [...section("Limits").matchAll(/\| ([\d,]+)(?: bytes)? \|$/gm)].map(([, number]) =>
    Number(number.replaceAll(",", "")),
  );
  expect(limits).toEqual([MAX_HEADER_BYTES, MAX_FRAMES, MAX_MESSAGE_BYTES, 1]);
});
